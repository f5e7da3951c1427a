import { describe, expect, it } from 'vitest'
import { AppError } from '../errors.ts'
import { createCursorCodec } from './cursor.ts'

const posts = createCursorCodec('a secret of the deployment', 'posts:-likes')

async function refusalOf(cursor: string, codec = posts) {
  const error: unknown = await codec.decode(cursor).then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused as it should be: ${String(error)}`)
  return { code: error.code, pointers: error.fields.map((field) => field.pointer) }
}

const REFUSED = { code: 'invalid_request', pointers: ['/query/cursor'] }

describe('a cursor', () => {
  it.each([{ likes: 12, id: '0190' }, ['2026-11-22T10:00:00.123Z', null], 'Ünïcode ✓ 🌊', 0, null])(
    'brings back %j',
    async (position) => {
      expect(await posts.decode(await posts.encode(position))).toEqual(position)
    },
  )

  it('is fit for a URL, and the same for the same position', async () => {
    const cursor = await posts.encode({ id: '~~~???>>>ÿÿÿ' })
    expect(cursor).toMatch(/^[A-Za-z0-9._-]+$/)
    expect(encodeURIComponent(cursor)).toBe(cursor)
    expect(await posts.encode({ id: '~~~???>>>ÿÿÿ' })).toBe(cursor)
  })

  it('is refused with any of its characters changed, or with more or fewer', async () => {
    const cursor = await posts.encode({ likes: 12 })
    for (let i = 0; i < cursor.length; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === 'A' ? 'B' : 'A'}${cursor.slice(i + 1)}`
      expect(await refusalOf(changed)).toEqual(REFUSED)
    }
    for (const changed of [`${cursor}A`, cursor.slice(0, -1), `${cursor}.`, `${cursor}.more`, ` ${cursor}`])
      expect(await refusalOf(changed)).toEqual(REFUSED)
  })

  it.each(['', '.', 'a.', '.a', 'a.b', 'nonsense', '%00', '{"likes":12}'])(
    'is refused as %j',
    async (cursor) => {
      expect(await refusalOf(cursor)).toEqual(REFUSED)
    },
  )

  it('is refused by another list and by another deployment', async () => {
    const cursor = await posts.encode({ likes: 12 })
    expect(
      await refusalOf(cursor, createCursorCodec('a secret of the deployment', 'posts:-postedAt')),
    ).toEqual(REFUSED)
    expect(await refusalOf(cursor, createCursorCodec('another secret', 'posts:-likes'))).toEqual(REFUSED)
  })

  it('cannot be moved to another list by where the names are joined', async () => {
    const cursor = await createCursorCodec('secret', 'a').encode(1)
    const [payload = '', signature = ''] = cursor.split('.')
    expect(await refusalOf(`a\n${payload}.${signature}`, createCursorCodec('secret', ''))).toEqual(REFUSED)
  })
})
