import type { Db } from '../../src/db/client.ts'
import { extractHashtags, normaliseTag } from '../../src/domain/hashtags.ts'
import type { Platform } from '../../src/domain/platforms.ts'
import { newId } from '../../src/lib/ids.ts'
import { assertMeasured } from './benchmark.ts'
import type { OwnerSql } from './database.ts'
import { inTurn, whileLoading, withoutIndexes } from './fill/bulk.ts'
import {
  insertAccounts,
  insertHashtags,
  insertPosts,
  insertSearch,
  insertSnapshots,
  READINGS_A_POST,
  withPhrases,
} from './fill/posts.ts'
import { fillRollups } from './fill/rollups.ts'

export interface FillOptions {
  accounts: number
  posts: number
  /** Posts are spread evenly over this long before now. */
  days: number
  /** On which accounts are, in turn. Two that anyone can read by default. */
  platforms?: readonly Platform[]
  /** Brands that accounts belong to, in turn. None by default. */
  brands?: number
  /** About so many readings of posts, ten of a post at most. None by default. */
  snapshots?: number
  /** Takes lines about how far it is. */
  log?: (line: string) => void
}

/** A workspace to read, whose content came in without the engine. */
export interface FilledWorkspace {
  id: string
  /** The first ones post more than the last ones. */
  accountIds: string[]
  brandIds: string[]
}

const MIN_FOLLOWERS = 500
const DEFAULT_PLATFORMS: readonly Platform[] = ['bluesky', 'mastodon']
/** Follower counts of an account a day. */
const READINGS_A_DAY = 4
/** From so many posts on, indexes are made anew rather than kept up while the posts come in. */
const MANY_POSTS = 500_000
/** Posts that are loaded at once. */
const PART = 100_000
const TABLES_OF_POSTS = ['posts', 'post_hashtags', 'post_search', 'post_snapshots']
const DAYS_A_MONTH = 28
const TAGS_CHECKED = 500

/** @returns the id of a new workspace in UTC */
export async function makeWorkspace(sql: OwnerSql): Promise<string> {
  const id = newId()
  await sql(`INSERT INTO workspaces (id, name, timezone) VALUES ($1, 'Benchmark', 'UTC')`, [id])
  return id
}

/**
 * Fills a workspace by SQL as the owner, at up to a hundred thousand posts a second: imported accounts (nobody
 * syncs them), posts with hashtags, follower counts, readings, and the rollups of all that. Texts, metrics and
 * tags are skewed as people's are, and the same in every run. Of many posts, the whole server is set for
 * loading meanwhile.
 * @throws when the rollups or hashtags do not agree with the posts.
 */
export async function fillWorkspace(
  database: { db: Db; ownerSql: OwnerSql },
  workspaceId: string,
  options: FillOptions,
): Promise<FilledWorkspace> {
  const { ownerSql: sql } = database
  const { log = () => {} } = options
  const workspace = await fillAccounts(sql, workspaceId, options)
  const load = () => fillPosts(sql, workspace, options)
  const finish = () => fillRollups(sql, workspaceId, workspace.accountIds)
  if (options.posts < MANY_POSTS) {
    await load()
    await finish()
  } else
    await whileLoading(sql, async () => {
      await withoutIndexes(sql, TABLES_OF_POSTS, load, log)
      log('rollups')
      await finish()
    })
  await sql(`VACUUM (ANALYZE) accounts, account_metrics, ${TABLES_OF_POSTS.join(', ')}`)
  await verify(sql, workspaceId)
  return workspace
}

async function fillAccounts(
  sql: OwnerSql,
  id: string,
  { accounts, days, brands = 0, platforms = DEFAULT_PLATFORMS }: FillOptions,
): Promise<FilledWorkspace> {
  const madeBrands = await sql<{ id: string }>(
    `INSERT INTO brands (id, workspace_id, name) SELECT uuidv7(), $1, 'Brand ' || n
     FROM generate_series(1, $2::int) n RETURNING id`,
    [id, brands],
  )
  const brandIds = madeBrands.map((brand) => brand.id)
  const made = await sql<{ id: string }>(insertAccounts(platforms, MIN_FOLLOWERS), [
    id,
    accounts,
    days,
    brandIds,
  ])
  await sql(
    `INSERT INTO account_metrics (workspace_id, account_id, observed_at, followers, following, posts)
     SELECT $1, a.id, now() - make_interval(hours => ${24 / READINGS_A_DAY} * n), a.followers - n, 100, 1000
     FROM accounts a, generate_series(0, $2::int * ${READINGS_A_DAY}) n WHERE a.workspace_id = $1`,
    [id, days],
  )
  await sql('ANALYZE accounts')
  return { id, accountIds: made.map((account) => account.id), brandIds }
}

async function fillPosts(
  sql: OwnerSql,
  { id, accountIds }: FilledWorkspace,
  { posts, days, snapshots = 0, log = () => {} }: FillOptions,
): Promise<void> {
  // From the oldest on, so that they lie in the table about as they came.
  const parts = Array.from({ length: Math.ceil(posts / PART) }, (_, i) => ({
    from: posts - i * PART,
    to: Math.max(1, posts - (i + 1) * PART + 1),
  }))
  await withPhrases(sql, () =>
    inTurn(parts, ({ from, to }) => sql(insertPosts(), [id, posts, days, accountIds, from, to])),
  )
  log('posts are in')
  const halves = [
    { from: posts, to: Math.floor(posts / 2) + 1 },
    { from: Math.floor(posts / 2), to: 1 },
  ]
  // Where triggers are off; otherwise they did.
  if (posts >= MANY_POSTS) {
    await inTurn(halves, ({ from, to }) => sql(insertSearch(), [id, from, to]))
    log('words are in')
  }
  await inTurn(halves, ({ from, to }) => sql(insertHashtags(), [id, from, to]))
  log('hashtags are in')
  if (snapshots === 0) return
  await sql('SELECT app_ensure_snapshot_partitions($1, 2)', [Math.ceil(days / DAYS_A_MONTH)])
  const step = Math.max(1, Math.round((posts * READINGS_A_POST) / snapshots))
  await inTurn(halves, ({ from, to }) => sql(insertSnapshots(), [id, from, to, step]))
  log('readings are in')
}

/** Whether the tags of the newest posts are those that the product finds in their texts, and all can be searched. */
async function verify(sql: OwnerSql, workspaceId: string): Promise<void> {
  const rows = await sql<{ text: string; tags: string[] }>(
    `SELECT p.text, ARRAY(SELECT h.tag FROM post_hashtags h WHERE h.post_id = p.id) AS tags
     FROM posts p WHERE p.workspace_id = $1 ORDER BY p.posted_at DESC LIMIT ${TAGS_CHECKED}`,
    [workspaceId],
  )
  const agree = rows.every(({ text, tags }) => {
    const found = extractHashtags(text).map(normaliseTag)
    return found.length === tags.length && tags.every((tag) => found.includes(tag))
  })
  assertMeasured(agree, 'the hashtags of the filled workspace do not agree with its texts')
  const [left] = await sql<{ posts: string }>(
    `SELECT count(*) AS posts FROM posts p WHERE p.workspace_id = $1
       AND NOT EXISTS (SELECT 1 FROM post_search s WHERE s.post_id = p.id)`,
    [workspaceId],
  )
  assertMeasured(left?.posts === '0', 'posts of the filled workspace cannot be searched')
}
