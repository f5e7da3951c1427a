import { expect, it } from 'vitest'
import { normaliseHandle } from './handles.ts'

it.each([
  ['dog_rates', 'dog_rates', 'dog_rates'],
  [' @Dog_Rates\t', 'Dog_Rates', 'dog_rates'],
  ['@someone@social.example', 'someone@social.example', 'someone@social.example'],
  ['ABC News', 'ABC News', 'abc news'],
  ['E\u0301cole', '\u00c9cole', '\u00e9cole'],
])('keeps %j as %j and compares it as %j', (text, handle, folded) => {
  expect(normaliseHandle(text)).toEqual({ handle, folded })
})

it.each(['', '  ', '@', ' @ ', 'a\0b', '\ud83d', 'x'.repeat(257)])('takes %j for no handle', (text) => {
  expect(normaliseHandle(text)).toBeNull()
})
