import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ids, limit, minGeneration, option, options, type Parameter, text, textOf } from './parameters.ts'

const WORDS = ['one', 'two', 'three'] as const

const PARAMETERS: Record<string, Parameter<unknown>> = {
  'a word': option(WORDS),
  'a word with a default': option(WORDS, 'two'),
  'some words': options(WORDS),
  ids,
  'a text': text,
  'a text that has to be there': textOf(1, 5),
  'how many': limit,
  'a generation': minGeneration,
}

const part = fc.oneof(fc.constantFrom(...WORDS, '', ' one ', 'toString', '__proto__'), fc.uuid(), fc.string())
/** What an address may say of a parameter: nothing, a text, or several of them. */
const given = fc.oneof(
  fc.constantFrom(undefined, '0', '1', '100', '101', '9007199254740992', '٣', '1e2'),
  part,
  fc.array(part, { maxLength: 4 }).map((parts) => parts.join(',')),
  fc.integer({ min: 199, max: 202 }).map((count) => Array<string>(count).fill('one').join(',')),
  fc.array(part, { minLength: 2, maxLength: 2 }),
)

describe('what is read without the validator', () => {
  it.each(Object.entries(PARAMETERS))('is what it reads: %s', (_, parameter) => {
    let read = 0
    fc.assert(
      fc.property(given, (value) => {
        const found = parameter.read(value)
        if (typeof found === 'symbol') return
        read += 1
        expect(parameter.schema().safeParse(value)).toEqual({ success: true, data: found })
      }),
    )
    expect(read).toBeGreaterThan(0)
  })

  it.each([
    ['a word', 'three', 'three'],
    ['a word with a default', undefined, 'two'],
    ['some words', 'one,three', ['one', 'three']],
    ['ids', 'AAAAAAAA-0000-7000-8000-000000000001', ['AAAAAAAA-0000-7000-8000-000000000001']],
    ['how many', '100', 100],
    ['a generation', undefined, 0],
  ])('is everything that people usually say: %s, %s', (name, value, expected) => {
    expect(PARAMETERS[name]?.read(value)).toEqual(expected)
  })
})
