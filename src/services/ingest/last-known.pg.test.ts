import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { PostMetrics } from '../../domain/platforms.ts'
import { ingest } from './ingest.ts'

let database: TestDatabase
let workspaceId: string
beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  workspaceId = await makeWorkspace(database)
})
afterAll(() => database.close())

const MARCH_1 = '2026-03-01T13:00:00.000Z'

const read = (accountId: string, observedAt: string | null, metrics: Partial<PostMetrics>) =>
  ingest(quietDeps(database.db), { workspaceId, posts: [reading(accountId, 'a', { observedAt, metrics })] })

const profile = (accountId: string, observedAt: string, followers: number | null) =>
  ingest(quietDeps(database.db), {
    workspaceId,
    profiles: [
      {
        ...{ accountId, handle: 'h', displayName: null, url: 'https://example.com/h', avatarUrl: null },
        ...{ followers, following: null, posts: null, observedAt },
      },
    ],
  })

const post = async () =>
  (
    await database.sql<Record<string, unknown>>(
      'SELECT likes::int, comments::int, last_known, publicly_read FROM posts WHERE workspace_id = $1',
      [workspaceId],
    )
  )[0]

const gained = () =>
  database.sql(
    `SELECT day::text, gained_likes::int AS likes FROM account_days
     WHERE workspace_id = $1 AND gained_likes <> 0 ORDER BY day`,
    [workspaceId],
  )

const published = () =>
  database.sql('SELECT likes::int, likes_known FROM account_days WHERE workspace_id = $1 AND posts <> 0', [
    workspaceId,
  ])

describe('the last known figure', () => {
  it('is of the last reading that had it, whatever comes late or twice', async () => {
    const accountId = await makeAccount(database, workspaceId)
    await read(accountId, MARCH_1, { likes: 5 })
    // Nothing moved, so that no snapshot tells of this one.
    await read(accountId, '2026-03-02T13:00:00.000Z', { likes: 5 })
    for (const observedAt of ['2026-03-04T13:00:00.000Z', '2026-03-05T13:00:00.000Z'])
      await read(accountId, observedAt, {})
    const known = { likes: 5, comments: null, last_known: { likes: '2026-03-02T13:00:00.000Z' } }
    expect(await post()).toMatchObject(known)
    expect(await read(accountId, '2026-03-05T13:00:00.000Z', {})).toMatchObject({ unchanged: 1 })
    await read(accountId, '2026-03-03T13:00:00.000Z', { likes: 9 })
    expect(await post()).toMatchObject(known)
    expect(await published()).toEqual([{ likes: 5, likes_known: 1 }])

    await read(accountId, '2026-03-06T13:00:00.000Z', { likes: 5 })
    expect(await post()).toMatchObject({ likes: 5, last_known: null })
    await read(accountId, '2026-03-07T13:00:00.000Z', { likes: 4, comments: 0 })
    expect(await gained()).toEqual([
      { day: '2026-03-01', likes: 5 },
      { day: '2026-03-07', likes: -1 },
    ])
  })

  it('is none of what was never known, nor of a file that does not say when', async () => {
    const accountId = await makeAccount(database, workspaceId)
    await read(accountId, null, { likes: 5 })
    await read(accountId, MARCH_1, { comments: 1 })
    expect(await post()).toMatchObject({ likes: null, comments: 1, last_known: null })
    expect(await published()).toEqual([{ likes: 0, likes_known: 0 }])
  })

  it('does not outlive what its platform allows, and is no gain when it is told again', async () => {
    const accountId = await makeAccount(database, workspaceId, { platform: 'youtube' })
    await read(accountId, MARCH_1, { likes: 5, comments: 1 })
    await profile(accountId, MARCH_1, 70)
    const followers = () =>
      database.sql('SELECT followers::int, last_known FROM accounts WHERE id = $1', [accountId])
    for (const [observedAt, likes] of [
      ['2026-03-31T13:00:00.000Z', 5],
      ['2026-03-31T13:00:00.001Z', null],
      ['2026-04-02T13:00:00.000Z', null],
    ] as const) {
      await read(accountId, observedAt, { comments: 1 })
      await profile(accountId, observedAt, null)
      expect((await post())?.likes).toBe(likes)
      expect(await followers()).toMatchObject([{ followers: likes === null ? null : 70 }])
    }
    expect(await post()).toMatchObject({ last_known: { likes: null } })
    expect(await published()).toEqual([{ likes: 0, likes_known: 0 }])
    await read(accountId, '2026-04-03T13:00:00.000Z', { likes: 8, comments: 1 })
    await read(accountId, '2026-04-04T13:00:00.000Z', { likes: 9, comments: 1 })
    expect(await gained()).toEqual([
      { day: '2026-03-01', likes: 5 },
      { day: '2026-04-04', likes: 1 },
    ])
  })

  it('does not come from a credential into what anyone can read', async () => {
    const accountId = await makeAccount(database, workspaceId, { source: 'credential' })
    await read(accountId, MARCH_1, { likes: 5 })
    await read(accountId, '2026-03-02T13:00:00.000Z', {})
    expect(await post()).toMatchObject({ likes: 5, publicly_read: false })
    await database.sql("UPDATE accounts SET source = 'public' WHERE id = $1", [accountId])
    await read(accountId, '2026-03-03T13:00:00.000Z', { comments: 1 })
    expect(await post()).toMatchObject({ likes: null, comments: 1, publicly_read: true })
  })

  it('is what an account had when a post was published', async () => {
    const accountId = await makeAccount(database, workspaceId)
    await profile(accountId, '2026-03-01T10:00:00.000Z', 50)
    await profile(accountId, '2026-03-01T11:30:00.000Z', null)
    await read(accountId, MARCH_1, { likes: 5 })
    expect(
      await database.sql('SELECT followers, last_known FROM accounts WHERE id = $1', [accountId]),
    ).toEqual([{ followers: '50', last_known: { followers: '2026-03-01T10:00:00.000Z' } }])
    expect(
      await database.sql('SELECT followers_at_posting::int AS n FROM posts WHERE workspace_id = $1', [
        workspaceId,
      ]),
    ).toEqual([{ n: 50 }])
  })
})
