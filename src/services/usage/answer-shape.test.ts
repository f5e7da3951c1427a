import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shapeOfAnswer } from './answer-shape.ts'

const shapeOf = (answer: unknown) => shapeOfAnswer('posts.list', answer)

describe('the shape of an answer', () => {
  it('is the names of its fields and the kinds of their values', () => {
    const answer = { data: [{ id: '1', likes: 3, pinned: true, text: null }], next: undefined }
    expect(shapeOf(answer)).toEqual({
      data: [{ id: 'string', likes: 'number', pinned: 'boolean', text: 'null' }],
      next: 'no JSON',
    })
    expect(shapeOf(undefined)).toBe('no JSON')
    expect(shapeOf('words')).toBe('string')
  })

  it('names no field that may be somebody’s id', () => {
    expect(
      Object.keys(shapeOf({ 'did:plc:ada': 1, '10203': 1, $type: 1, 'ada@example.com': 1 }) ?? {}),
    ).toEqual(['…', '$type'])
  })

  it('names no field of an answer with tokens but those that are known', () => {
    const answer = { access_token: 'secret', tokenAsAName: 1, data: [{ open_id: 'x', alsoAToken: null }] }
    for (const operation of ['token.grant', 'token.refresh'] as const)
      expect(shapeOfAnswer(operation, answer)).toEqual({
        access_token: 'string',
        '…': 'number',
        data: [{ open_id: 'string', '…': 'null' }],
      })
  })

  it('is bounded in depth and width', () => {
    let deep: unknown = 'end'
    for (let level = 0; level < 50; level++) deep = level % 2 === 0 ? [deep] : { deep }
    expect(JSON.stringify(shapeOf(deep)).length).toBeLessThan(200)
    const wide = Object.fromEntries(
      Array.from({ length: 80 }, (_, i) => [`f${'x'.repeat(i % 40)}${i < 40 ? '' : '_'}`, i]),
    )
    expect(Object.keys(shapeOf(wide) ?? {})).toHaveLength(40)
    expect(shapeOf(Array(500).fill(1))).toHaveLength(3)
  })

  it('has none of the values in it, whatever they are', () => {
    const marker = 'Möwe-4711!'
    fc.assert(
      fc.property(fc.anything({ values: [fc.string().map((text) => marker + text)] }), (value) => {
        expect(JSON.stringify(shapeOf({ value }))).not.toContain(marker)
      }),
    )
  })
})
