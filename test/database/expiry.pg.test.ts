import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { statement } from '../../src/db/client.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeAccount, makeWorkspace } from '../harness/factories.ts'

const AT = '2026-06-15T12:00:00.000Z'

let database: TestDatabase
let workspaceId: string
beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  await database.sql('DELETE FROM workspaces')
  await database.sql('DELETE FROM malformed_answers')
  workspaceId = await makeWorkspace(database)
})
afterAll(() => database.close())

/** As upkeep calls it: by the Worker's role, over all workspaces. */
async function expire() {
  const rows = await database.db.outside(statement<object>(sql`SELECT * FROM app_expire(${AT}::timestamptz)`))
  return rows[0]
}

const NOTHING = {
  jobs_expired: 0,
  jobs_removed: 0,
  idempotency_keys_removed: 0,
  events_removed: 0,
  accounts_purged: 0,
  authorizations_removed: 0,
  malformed_answers_removed: 0,
  usage_months_dropped: 0,
}

const ago = (interval: string) => `timestamptz '${AT}' - interval '${interval}'`

const addJob = (status: string, expiresAt: string) =>
  database.sql(
    `INSERT INTO jobs (id, workspace_id, kind, status, created_by, expires_at)
     VALUES (gen_random_uuid(), $1, 'import', $2, 'system', ${expiresAt})`,
    [workspaceId, status],
  )

describe('upkeep', () => {
  it('finds nothing to do where everything is in its time', async () => {
    await addJob('running', `timestamptz '${AT}'`)
    await addJob('succeeded', ago('7 days'))
    expect(await expire()).toEqual(NOTHING)
  })

  it('ends open jobs past their time, and removes ended ones a week after theirs', async () => {
    await addJob('queued', ago('1 second'))
    await addJob('running', ago('6 days'))
    await addJob('succeeded', ago('6 days'))
    await addJob('failed', ago('7 days 1 second'))
    expect(await expire()).toEqual({ ...NOTHING, jobs_expired: 2, jobs_removed: 1 })
    expect(await database.sql('SELECT status, count(*)::int AS n FROM jobs GROUP BY 1 ORDER BY 1')).toEqual([
      { status: 'expired', n: 2 },
      { status: 'succeeded', n: 1 },
    ])
    expect(await database.sql("SELECT updated_at FROM jobs WHERE status = 'expired'")).toEqual([
      { updated_at: new Date(AT) },
      { updated_at: new Date(AT) },
    ])
    expect(await expire()).toEqual(NOTHING)
  })

  it('removes the report of an import with its job', async () => {
    const [job] = await database.sql<{ id: string }>(
      `INSERT INTO jobs (id, workspace_id, kind, status, created_by, expires_at)
       VALUES (gen_random_uuid(), $1, 'import', 'succeeded', 'system', ${ago('8 days')}) RETURNING id`,
      [workspaceId],
    )
    await database.sql(
      `INSERT INTO imports (id, workspace_id, platform, format, object_key, size_bytes)
       VALUES ($1, $2, 'x', 'csv', 'k', 1)`,
      [job?.id, workspaceId],
    )
    await database.sql(
      'INSERT INTO import_errors (workspace_id, import_id, line, ordinal, message) VALUES ($2, $1, 1, 0, $3)',
      [job?.id, workspaceId, 'wrong'],
    )
    expect(await expire()).toEqual({ ...NOTHING, jobs_removed: 1 })
    expect(await database.sql('SELECT 1 FROM imports UNION ALL SELECT 1 FROM import_errors')).toEqual([])
  })

  it('forgets idempotency keys after a day', async () => {
    for (const [key, age] of [
      ['old', '24 hours 1 second'],
      ['young', '23 hours'],
    ] as const)
      await database.sql(
        `INSERT INTO idempotency_keys (workspace_id, caller, path, key, body_hash, created_at)
         VALUES ($1, 'c', '/p', $2, 'h', ${ago(age)})`,
        [workspaceId, key],
      )
    expect(await expire()).toEqual({ ...NOTHING, idempotency_keys_removed: 1 })
    expect(await database.sql('SELECT key FROM idempotency_keys')).toEqual([{ key: 'young' }])
  })

  it('removes events a day after they were written, if they were delivered', async () => {
    for (const [generation, age, delivered] of [
      [1, '2 days', 'now()'],
      [2, '2 days', 'NULL'],
      [3, '23 hours', 'now()'],
    ] as const)
      await database.sql(
        `INSERT INTO outbox (workspace_id, generation, events, created_at, delivered_at)
         VALUES ($1, $2, '[]', ${ago(age)}, ${delivered})`,
        [workspaceId, generation],
      )
    expect(await expire()).toEqual({ ...NOTHING, events_removed: 1 })
    expect(await database.sql('SELECT generation::int FROM outbox ORDER BY 1')).toEqual([
      { generation: 2 },
      { generation: 3 },
    ])
  })

  it('forgets what was granted and not taken, as soon as its time is over', async () => {
    for (const [state, expiresAt] of [
      ['over', ago('1 second')],
      ['open', `timestamptz '${AT}'`],
    ])
      await database.sql(
        `INSERT INTO account_authorizations (id, workspace_id, platform, state_hash, created_by, status, key_id,
           sealed, expires_at)
         VALUES (gen_random_uuid(), $1, 'x', $2, 'system', 'granted', 'k', 'sealed', ${expiresAt})`,
        [workspaceId, state],
      )
    expect(await expire()).toEqual({ ...NOTHING, authorizations_removed: 1 })
    expect(await database.sql('SELECT state_hash AS state FROM account_authorizations')).toEqual([
      { state: 'open' },
    ])
  })

  it('forgets answers that were not understood after a month, and counters after 400 days', async () => {
    for (const [fingerprint, age] of [
      ['old', '30 days 1 second'],
      ['young', '30 days'],
    ] as const)
      await database.sql(
        `INSERT INTO malformed_answers (fingerprint, platform, operation, problem, sample, first_seen_at, last_seen_at)
         VALUES ($1, 'x', 'posts', 'wrong', '{}', ${ago('1 year')}, ${ago(age)})`,
        [fingerprint],
      )
    await database.sql(
      `INSERT INTO deployment_counters (name, day, value)
       SELECT 'counted', (timestamptz '${AT}')::date - age, 1 FROM unnest(ARRAY[400, 401]) AS age`,
    )
    expect(await expire()).toEqual({ ...NOTHING, malformed_answers_removed: 1 })
    expect(await database.sql('SELECT fingerprint FROM malformed_answers')).toEqual([
      { fingerprint: 'young' },
    ])
    expect(
      await database.sql(`SELECT (timestamptz '${AT}')::date - day AS age FROM deployment_counters`),
    ).toEqual([{ age: 400 }])
  })

  it('drops whole months of usage after fourteen of them', async () => {
    await database.sql('SELECT app_ensure_partitions(20, 0)')
    const months = async () =>
      (
        await database.sql<{ name: string }>(
          `SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'api_usage'::regclass AND c.relname <> 'api_usage_other' ORDER BY 1`,
        )
      ).map(({ name }) => name)
    const before = await months()
    const [{ kept } = { kept: '' }] = await database.sql<{ kept: string }>(
      `SELECT to_char((LEAST(timestamptz '${AT}', now()) - interval '14 months') AT TIME ZONE 'UTC',
         '"api_usage_"YYYY_MM') AS kept`,
    )
    const old = before.filter((name) => name < kept)
    expect(old.length).toBeGreaterThan(0)
    expect(await expire()).toEqual({ ...NOTHING, usage_months_dropped: old.length })
    expect(await months()).toEqual(before.filter((name) => name >= kept))
  })

  it('purges accounts thirty days after they were hidden, with everything that hangs from them', async () => {
    const accounts = {
      purged: await makeAccount(database, workspaceId),
      hidden: await makeAccount(database, workspaceId),
      live: await makeAccount(database, workspaceId),
    }
    await database.sql(`UPDATE accounts SET deleted_at = ${ago('30 days 1 second')} WHERE id = $1`, [
      accounts.purged,
    ])
    await database.sql(`UPDATE accounts SET deleted_at = ${ago('29 days')} WHERE id = $1`, [accounts.hidden])
    for (const accountId of Object.values(accounts)) {
      await database.sql(
        `WITH post AS (
           INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, posted_at)
           VALUES (gen_random_uuid(), $1, $2, 'bluesky', 'p', 'post', now()) RETURNING id
         ), snapshot AS (
           INSERT INTO post_snapshots (workspace_id, post_id, observed_at) SELECT $1, id, now() FROM post
         )
         INSERT INTO post_hashtags (workspace_id, post_id, tag, display, account_id, platform, posted_at)
         SELECT $1, id, 'tide', 'Tide', $2, 'bluesky', now() FROM post`,
        [workspaceId, accountId],
      )
      await database.sql(
        `WITH day AS (
           INSERT INTO account_days (workspace_id, account_id, day) VALUES ($1, $2, '2026-05-01')
         ), quarter AS (
           INSERT INTO account_quarters (workspace_id, account_id, quarter) VALUES ($1, $2, now())
         )
         INSERT INTO account_metrics (workspace_id, account_id, observed_at) VALUES ($1, $2, now())`,
        [workspaceId, accountId],
      )
    }
    expect(await expire()).toEqual({ ...NOTHING, accounts_purged: 1 })
    for (const table of ['posts', 'post_hashtags', 'account_days', 'account_quarters', 'account_metrics'])
      expect(
        (await database.sql<{ id: string }>(`SELECT account_id AS id FROM ${table}`))
          .map(({ id }) => id)
          .sort(),
        table,
      ).toEqual([accounts.hidden, accounts.live].sort())
    expect(await database.sql('SELECT count(*)::int AS n FROM post_snapshots')).toEqual([{ n: 2 }])
  })
})
