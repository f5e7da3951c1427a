import type { PostReading } from '../../src/db/queries/ingest/index.ts'
import { noMetrics, type PostMetrics } from '../../src/domain/platforms.ts'
import { newId } from '../../src/lib/ids.ts'
import type { TestDatabase } from './database.ts'

export async function makeWorkspace(database: TestDatabase, timezone = 'UTC'): Promise<string> {
  const id = newId()
  await database.sql('INSERT INTO workspaces (id, name, timezone) VALUES ($1, $2, $3)', [
    id,
    'Test',
    timezone,
  ])
  return id
}

export async function makeAccount(
  database: TestDatabase,
  workspaceId: string,
  options: { platform?: string; trackedSince?: string | null; handle?: string; source?: string } = {},
): Promise<string> {
  const id = newId()
  await database.sql(
    `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, tracked_since, next_sync_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, now())`,
    [
      id,
      workspaceId,
      options.platform ?? 'bluesky',
      `did:plc:${id}`,
      options.handle ?? `${id.slice(-6)}.example.com`,
      options.source ?? 'public',
      options.trackedSince === undefined ? '2026-01-01T00:00:00Z' : options.trackedSince,
    ],
  )
  return id
}

/** A reading of a post, with what a test does not care about filled in. */
export function reading(
  accountId: string,
  platformPostId: string,
  given: Partial<Omit<PostReading, 'metrics'>> & { metrics?: Partial<PostMetrics> } = {},
): PostReading {
  return {
    id: newId(),
    accountId,
    platformPostId,
    kind: 'post',
    text: `Post ${platformPostId}`,
    url: null,
    postedAt: '2026-03-01T12:00:00.000Z',
    media: [],
    hashtags: [],
    observedAt: '2026-03-01T13:00:00.000Z',
    ...given,
    metrics: { ...noMetrics(), ...given.metrics },
  }
}

/** So many accounts that nothing is known of but their names. */
export async function makeManyAccounts(
  database: TestDatabase,
  workspaceId: string,
  count: number,
): Promise<void> {
  await database.sql(
    `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status)
     SELECT gen_random_uuid(), $1, 'x', 'many:' || n, 'many' || n, 'import', 'imported' FROM generate_series(1, $2::int) n`,
    [workspaceId, count],
  )
}
