import type { Db } from '../../src/db/client.ts'
import { refreshTopPosts } from '../../src/db/queries/ingest/index.ts'
import { rebuildDays } from '../../src/db/queries/rollups.ts'
import { CELL_METRICS, RATE_BASES } from '../../src/domain/rollup-cell.ts'
import { newId } from '../../src/lib/ids.ts'
import { assertMeasured } from './benchmark.ts'
import type { OwnerSql } from './database.ts'

export interface FillOptions {
  accounts: number
  posts: number
  /** Posts are spread evenly over this long before now. */
  days: number
}

/** A workspace to read, whose content came in without the engine. */
export interface FilledWorkspace {
  id: string
  accountIds: string[]
}

const TAGS = 300
const MIN_FOLLOWERS = 500
const REBUILD_TIMEOUT_MS = 300_000

/** @returns the id of a new workspace in UTC */
export async function makeWorkspace(sql: OwnerSql): Promise<string> {
  const id = newId()
  await sql(`INSERT INTO workspaces (id, name, timezone) VALUES ($1, 'Benchmark', 'UTC')`, [id])
  return id
}

/**
 * Fills a workspace by SQL as the owner, at tens of thousands of posts a second: imported accounts (nobody
 * syncs them), posts with hashtags, a follower count a day, and the rollups of all that. Metrics and tags are
 * skewed as people's are, and the same in every run.
 * @throws when the rollups do not agree with the posts.
 */
export async function fillWorkspace(
  database: { db: Db; ownerSql: OwnerSql },
  workspaceId: string,
  options: FillOptions,
): Promise<FilledWorkspace> {
  const { db, ownerSql: sql } = database
  const { accounts, posts, days } = options
  const inserted = await sql<{ id: string }>(
    `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, display_name, source, status,
       tracked_since, followers)
     SELECT uuidv7(), $1, CASE WHEN n % 2 = 0 THEN 'bluesky' ELSE 'mastodon' END, 'import:account' || n,
       'account' || n || '.example.com', 'Account ' || n, 'import', 'imported',
       now() - make_interval(days => $3), ${MIN_FOLLOWERS} * (n + 1)
     FROM generate_series(0, $2::int - 1) n RETURNING id`,
    [workspaceId, accounts, days],
  )
  const accountIds = inserted.map(({ id }) => id)
  await sql(insertPosts(), [workspaceId, posts, days, accountIds])
  await sql(
    `INSERT INTO post_hashtags (workspace_id, post_id, tag, display, account_id, platform, posted_at)
     SELECT DISTINCT ON (p.id, lower(found[1])) p.workspace_id, p.id, lower(found[1]), found[1], p.account_id,
       p.platform, p.posted_at
     FROM posts p, regexp_matches(p.text, '#(\\w+)', 'g') AS found WHERE p.workspace_id = $1`,
    [workspaceId],
  )
  await sql(
    `INSERT INTO account_metrics (workspace_id, account_id, observed_at, followers, following, posts)
     SELECT $1, a.id, now() - make_interval(days => d), a.followers - 3 * d, 100, 1000
     FROM accounts a, generate_series(0, $2::int) d WHERE a.workspace_id = $1`,
    [workspaceId, days],
  )
  await sql(insertQuarters(), [workspaceId])
  // Days are made of quarter hours by the product's own statements.
  await db.inWorkspace(workspaceId, [rebuildDays(workspaceId), refreshTopPosts(workspaceId)], {
    timeoutMs: REBUILD_TIMEOUT_MS,
  })
  await sql(
    'VACUUM (ANALYZE) accounts, account_metrics, posts, post_hashtags, account_days, account_quarters',
  )
  await verify(sql, workspaceId, posts)
  return { id: workspaceId, accountIds }
}

/** A number from 0 to 1 that depends on the post and on what it is for alone. */
const chance = (salt: number) => `((hashint8extended(n, ${salt}) & 1048575) / 1048576.0)`
/** Most are small, few are large. */
const skewed = (salt: number, scale: number) =>
  `floor(${scale} * exp(4 * ${chance(salt)}) - ${scale})::bigint`
const tag = (salt: number) => `floor(${TAGS} * power(${chance(salt)}, 3))::int`

/** Parameters: workspace, posts, days, accounts. */
function insertPosts(): string {
  return `
    INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, url, posted_at,
      likes, comments, shares, quotes, saves, followers_at_posting, metrics_at)
    SELECT uuidv7(), $1, a.id, a.platform, 'filled-' || n, 'post',
      'Post ' || n || ' on what the tide brings in, and on what it takes along. #Tag' || ${tag(1)} || ' #tag' || ${tag(2)},
      'https://example.com/posts/' || n,
      now() - ($3::int * interval '1 day') * ((n - ${chance(3)}) / $2::float8),
      ${skewed(4, 12)}, ${skewed(5, 2)}, ${skewed(6, 3)}, ${skewed(7, 1)},
      CASE WHEN a.platform = 'bluesky' THEN ${skewed(8, 1)} END, a.followers, now()
    FROM generate_series(1, $2::int) n
    JOIN accounts a ON a.id = ($4::uuid[])[1 + n % cardinality($4::uuid[])]
    ORDER BY n DESC`
}

/** Sums of posts by quarter hour, in plain SQL. Parameter: workspace. */
function insertQuarters(): string {
  const columns = {
    posts: 'count(*)',
    ...Object.fromEntries(
      CELL_METRICS.flatMap((metric) => [
        [metric, `coalesce(sum(${metric}), 0)`],
        [`${metric}_known`, `count(${metric})`],
      ]),
    ),
    ...Object.fromEntries(
      RATE_BASES.map((base) => {
        const denominator = base === 'followers' ? 'followers_at_posting' : base
        return [
          `engagements_by_${base}`,
          `coalesce(sum(engagements) FILTER (WHERE ${denominator} IS NOT NULL), 0)`,
        ]
      }),
    ),
    followers_at_posting: 'coalesce(sum(followers_at_posting) FILTER (WHERE engagements IS NOT NULL), 0)',
  }
  return `
    INSERT INTO account_quarters (workspace_id, account_id, quarter, ${Object.keys(columns).join(', ')})
    SELECT workspace_id, account_id, date_bin('15 minutes', posted_at, '2000-01-01T00:00:00Z'),
      ${Object.values(columns).join(', ')}
    FROM posts WHERE workspace_id = $1 GROUP BY 1, 2, 3`
}

async function verify(sql: OwnerSql, workspaceId: string, posts: number): Promise<void> {
  const [sums] = await sql<{ posts: number; likes: number; expected: number }>(
    `SELECT sum(posts)::float8 AS posts, sum(likes)::float8 AS likes,
       (SELECT sum(likes) FROM posts WHERE workspace_id = $1)::float8 AS expected
     FROM account_days WHERE workspace_id = $1`,
    [workspaceId],
  )
  assertMeasured(
    sums?.posts === posts && sums.likes === sums.expected,
    'the rollups of the filled workspace do not agree with its posts',
  )
}
