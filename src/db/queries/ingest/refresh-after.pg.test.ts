import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../test/harness/database.ts'
import { quietDeps } from '../../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../../test/harness/factories.ts'
import { refreshAfterSeconds } from '../../../domain/sync-tiers.ts'
import { ingest } from '../../../services/ingest/ingest.ts'

const OBSERVED_AT = '2026-06-15T12:00:00.000Z'
const HOUR = 3_600
const DAY = 24 * HOUR

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** Every age at and around the tiers' borders, moved or not, after every number of readings without change. */
const CASES = [0, HOUR, DAY - 1, DAY, 7 * DAY - 1, 7 * DAY, 30 * DAY - 1, 30 * DAY, 400 * DAY].flatMap(
  (ageSeconds) =>
    [true, false].flatMap((moved) =>
      [0, 1, 2, 3, 50, 100].map((stillBefore) => ({
        name: `${ageSeconds}-${moved}-${stillBefore}`,
        ageSeconds,
        moved,
        stillBefore,
        postedAt: new Date(Date.parse(OBSERVED_AT) - ageSeconds * 1_000).toISOString(),
      })),
    ),
)

async function waits(workspaceId: string) {
  const rows = await database.sql<{ name: string; wait: number; still: number }>(
    `SELECT platform_post_id AS name, still_readings AS still,
       EXTRACT(EPOCH FROM next_refresh_at - metrics_at)::float AS wait
     FROM posts WHERE workspace_id = $1`,
    [workspaceId],
  )
  return new Map(rows.map((row) => [row.name, row]))
}

/** The rule, less up to a tenth, so that what was read together is not read together for ever. */
function expectWait(wait: number | undefined, seconds: number, name: string): void {
  expect(wait, name).toBeGreaterThanOrEqual(seconds * 0.9 - 0.001)
  expect(wait, name).toBeLessThanOrEqual(seconds + 0.001)
}

describe('when a post is read again', () => {
  it.each([
    ['bluesky', false],
    ['x', true],
  ] as const)('is by the rule of the tiers, in SQL as in the code (%s)', async (platform, isPaid) => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId, { platform })
    const before = new Date(Date.parse(OBSERVED_AT) - 1_000).toISOString()
    await database.sql(
      `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, posted_at, likes,
         metrics_at, still_readings)
       SELECT gen_random_uuid(), $1, $2, $5, c.name, 'post', c."postedAt", 1, $3, c."stillBefore"
       FROM jsonb_to_recordset($4) AS c (name text, "postedAt" timestamptz, "stillBefore" int)`,
      [workspaceId, accountId, before, JSON.stringify(CASES), platform],
    )
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: CASES.map(({ name, postedAt, moved }) =>
        reading(accountId, name, { postedAt, observedAt: OBSERVED_AT, metrics: { likes: moved ? 2 : 1 } }),
      ),
    })
    const found = await waits(workspaceId)
    expect(found.size).toBe(CASES.length)
    for (const { name, ageSeconds, moved, stillBefore } of CASES) {
      const still = moved ? 0 : Math.min(stillBefore + 1, 100)
      expect(found.get(name)?.still, name).toBe(still)
      expectWait(found.get(name)?.wait, refreshAfterSeconds(ageSeconds, moved, still, isPaid), name)
    }
  })

  it('is after its tier’s interval where the post is new here', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    const fresh = CASES.filter(({ moved, stillBefore }) => moved && stillBefore === 0)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: fresh.map(({ name, postedAt }) =>
        reading(accountId, name, { postedAt, observedAt: OBSERVED_AT, metrics: { likes: 1 } }),
      ),
    })
    const found = await waits(workspaceId)
    for (const { name, ageSeconds } of fresh)
      expectWait(found.get(name)?.wait, refreshAfterSeconds(ageSeconds, false, 0), name)
  })

  it('differs between posts that were read together', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: Array.from({ length: 20 }, (_, i) => reading(accountId, `p${i}`, { metrics: { likes: 1 } })),
    })
    expect(new Set([...(await waits(workspaceId)).values()].map(({ wait }) => wait)).size).toBeGreaterThan(10)
  })

  it('is never for reposts of others and for accounts that are only imported', async () => {
    const workspaceId = await makeWorkspace(database)
    const read = await makeAccount(database, workspaceId)
    const imported = await makeAccount(database, workspaceId, { source: 'import' })
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(read, 'repost', { kind: 'repost', metrics: { likes: 1 } }),
        reading(imported, 'imported', { metrics: { likes: 1 } }),
      ],
    })
    const found = await waits(workspaceId)
    expect(found.get('repost')?.wait).toBeNull()
    expect(found.get('imported')?.wait).toBeNull()
  })
})
