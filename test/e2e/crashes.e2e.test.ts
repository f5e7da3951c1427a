import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { comparable, connect, postsOf, untilComplete } from './support/accounts.ts'
import { expectOverviewToBeTrue } from './support/expected.ts'
import { listenLive } from './support/live.ts'
import { importReport, ndjson, type Person, signUp, upload } from './support/people.ts'
import {
  callBack,
  holdWorld,
  killSync,
  killWorker,
  queueIdle,
  releaseWorld,
  sqlRow,
} from './support/stack.ts'
import { until } from './support/wait.ts'
import { expectedPosts, truthOf } from './support/world.ts'

/** The queue waits 2, 8 and 32 seconds before it tries again. */
const RECOVERY_MS = 90_000

/**
 * The Workers are killed in the middle of their work. Everything has to be as if nothing had happened: nothing
 * left out, nothing counted twice.
 */
describe('after the Workers were killed', () => {
  let person: Person
  beforeAll(holdWorld)
  afterAll(releaseWorld)
  beforeEach(async () => {
    person = await signUp()
  })

  afterEach(async () => {
    // Events that a crash kept from listeners are not forgotten: they are sent with the next, or swept.
    await until(
      'every event is delivered',
      async () => {
        expect((await callBack('/callbacks/outbox/sweep', {})).status).toBe(200)
        const { count } = await sqlRow<{ count: number }>(
          'SELECT count(*)::int FROM outbox WHERE workspace_id = $1 AND delivered_at IS NULL',
          [person.workspaceId],
        )
        return count === 0 ? true : null
      },
      { timeoutMs: 30_000, everyMs: 1_000 },
    )
    await queueIdle()
  })

  /** Rows of a workspace, which grow while work goes on. */
  const posts = async () =>
    sqlRow<{ count: number }>('SELECT count(*)::int FROM posts WHERE workspace_id = $1', [
      person.workspaceId,
    ]).then(({ count }) => count)

  /** Kills both Workers whenever so many more rows are there: who works, and whom it tells. */
  const killAfterEach = async (rows: number, times: number) => {
    const seen: number[] = []
    for (let i = 0; i < times; i++) {
      const before = await posts()
      seen.push(
        await until(
          'the work goes on',
          async () => {
            const now = await posts()
            return now >= before + rows ? now : null
          },
          { timeoutMs: RECOVERY_MS, everyMs: 10 },
        ),
      )
      await Promise.all([killSync(), killWorker()])
    }
    return seen
  }

  it('while it read older posts, every post is there once, with the right figures', async () => {
    const expected = expectedPosts(await truthOf('bluesky', 'harbourroast.example.social'), 'bluesky')
    const { id } = await connect(person.key, 'bluesky', 'harbourroast.example.social')
    const seen = await killAfterEach(250, 2)
    expect(seen.at(-1)).toBeLessThan(expected.length)
    await untilComplete(person.key, id, RECOVERY_MS)
    expect(comparable(await postsOf(person.key, id))).toEqual(expected)
    await expectOverviewToBeTrue(person.key, person.workspaceId, 'period=90d')
    await expectOverviewToBeTrue(
      person.key,
      person.workspaceId,
      'period=12m&timezone=Asia/Kolkata&compare=none',
    )
  }, 180_000)

  it('while it imported a file, every row is there once and counted once', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => ({
      post_id: `crash-${n}`,
      posted_at: new Date(Date.now() - n * 60_000).toISOString(),
      text: `Row ${n} #crash`,
      likes: n % 7,
      comments: n % 3,
    }))
    const id = await upload(person.key, { platform: 'x', handle: 'crash', body: ndjson(rows) })
    await killAfterEach(2_000, 2)
    const report = await importReport(person.key, id, RECOVERY_MS)
    expect(report).toMatchObject({
      status: 'succeeded',
      ...{ accepted: 20_000, inserted: 20_000, updated: 0, unchanged: 0, rejected: 0 },
      processedBytes: report.sizeBytes,
    })
    const overview = await expectOverviewToBeTrue(
      person.key,
      person.workspaceId,
      'period=28d&platforms=x&compare=none',
    )
    const sum = (name: 'likes' | 'comments') => rows.reduce((total, row) => total + row[name], 0)
    expect(overview.totals).toMatchObject({
      posts: { value: 20_000 },
      likes: { value: sum('likes') },
      comments: { value: sum('comments') },
    })
  }, 180_000)

  it('it knows whoever was signed in, and tells listeners what they missed', async () => {
    const file = (id: string) => ({
      handle: 'missed',
      body: ndjson([{ post_id: id, posted_at: '2026-11-01T10:00:00Z' }]),
    })
    const socket = await listenLive(person.key)
    await importReport(person.key, await upload(person.key, file('before')))
    const seen = await socket.frame('the import is told', ({ data }) => data.status === 'succeeded')
    await killWorker()
    expect((await socket.closed).code).toBe(1006)
    expect((await person.session.get('/api/v1/me')).status).toBe(200)
    await importReport(person.key, await upload(person.key, file('after')))
    const again = await listenLive(person.key, { since: String(seen.seq) })
    const missed = await again.frame('what was missed', ({ type }) => type === 'metrics.updated')
    expect(missed.seq).toBeGreaterThan(seen.seq)
    expect(again.frames.map(({ type }) => type)).not.toContain('resync')
    again.close()
  })
})
