import {
  PLATFORM_FACTS,
  type Platform,
  POST_METRICS,
  type PostMetric,
} from '../../../src/domain/platforms.ts'
import type { OwnerSql } from '../database.ts'
import { makePhrases, PHRASES, PHRASES_A_POST, RARE_POSTS, RARE_WORDS } from './words.ts'

/** Statements that make posts and what hangs on them. Everything follows from a post's number `n`. */

const TAGS = 2_000
/** Tags on a post that has any, at most. */
const TAGS_A_POST = 3
/** Some of what `post_hashtags` will hold. */
export const FREQUENT_TAG = 'tag0'
export const RARE_TAG = `tag${TAGS - 100}`
const SHARE_WITH_TAGS = 0.5
/** Readings of a post that has any. */
export const READINGS_A_POST = 10

/** A number from 0 to 1 that depends on the post and on what it is for alone. */
const chance = (salt: number) => `((hashint8extended(n, ${salt}) & 1048575) / 1048576.0::float8)`
/** Most are small, few are large. */
const skewed = (salt: number, scale: number) =>
  `floor(${scale} * exp(4 * ${chance(salt)}) - ${scale})::bigint`

/** How large each metric is, against the others. */
const SCALES: Record<PostMetric, number> = {
  likes: 12,
  comments: 2,
  shares: 3,
  quotes: 1,
  saves: 1,
  views: 400,
  impressions: 600,
  reach: 300,
}
/** Of what its platform gives, a post has this much: authors hide counts, and readings fail. */
const SHARE_KNOWN = 0.98

/** A metric where the account's platform gives it. */
function metric(name: PostMetric, salt: number): string {
  const platforms = Object.entries(PLATFORM_FACTS).filter(([, { measures }]) => measures.includes(name))
  const list = platforms.map(([platform]) => `'${platform}'`).join(', ')
  return `CASE WHEN a.platform IN (${list}) AND ${chance(100 + salt)} < ${SHARE_KNOWN}
    THEN ${skewed(salt, SCALES[name])} END`
}

const KIND = `CASE WHEN ${chance(20)} < 0.8 THEN 'post' WHEN ${chance(20)} < 0.9 THEN 'reply'
  WHEN ${chance(20)} < 0.95 THEN 'quote' ELSE 'repost' END`

/** The number of the i-th tag of a post, below `TAGS`: few are used much. `NULL`: it has no such tag. */
const tag = (i: number) =>
  `CASE WHEN ${chance(30)} < ${SHARE_WITH_TAGS} * ${(TAGS_A_POST - i) / TAGS_A_POST}
    THEN floor(${TAGS} * power(${chance(31 + i)}, 3))::int END`
/** One tag in two spellings. */
const stem = (i: number) => `CASE WHEN ${chance(40 + i)} < 0.7 THEN 'Tag' ELSE 'tag' END`
const tagIndexes = Array.from({ length: TAGS_A_POST }, (_, i) => i)

const phrase = (i: number) => `phrase${i}.text`
const phraseIndexes = Array.from({ length: PHRASES_A_POST }, (_, i) => i)
const rareWords = `(ARRAY[${RARE_WORDS.map((word) => `'${word}'`).join(', ')}])`
/** Every so many posts have a rare word, each another than the one before. */
const rareWord = `CASE WHEN n % GREATEST(1, $2::int / ${RARE_POSTS * RARE_WORDS.length}) = 0
  THEN ' ' || ${rareWords}[1 + (n / GREATEST(1, $2::int / ${RARE_POSTS * RARE_WORDS.length}))::int % ${RARE_WORDS.length}] ELSE '' END`

const PHRASES_TABLE = 'filling_phrases'

/** Does something while the phrases that texts are made of are in a table. */
export async function withPhrases(sql: OwnerSql, act: () => Promise<void>): Promise<void> {
  await sql(`CREATE UNLOGGED TABLE ${PHRASES_TABLE} (i int PRIMARY KEY, text text NOT NULL)`)
  try {
    await sql(
      `INSERT INTO ${PHRASES_TABLE} SELECT i - 1, text FROM unnest($1::text[]) WITH ORDINALITY p (text, i)`,
      [makePhrases()],
    )
    await sql(`VACUUM (ANALYZE) ${PHRASES_TABLE}`)
    await act()
  } finally {
    await sql(`DROP TABLE ${PHRASES_TABLE}`)
  }
}

/**
 * Posts from number $5 down to $6, so that they lie as they came. Who posts is skewed: of 100 accounts the
 * first has a tenth of all.
 * Parameters: workspace, posts in all, days, accounts, from, to.
 */
export function insertPosts(): string {
  return `
    WITH chosen AS MATERIALIZED (
      SELECT i - 1 AS i, a.* FROM unnest($4::uuid[]) WITH ORDINALITY c (id, i) JOIN accounts a USING (id)
    )
    INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, url, posted_at,
      ${POST_METRICS.join(', ')}, followers_at_posting, metrics_at, deleted_at, first_seen_at)
    SELECT uuidv7(), $1, a.id, a.platform, 'filled-' || n, ${KIND},
      ${phraseIndexes.map(phrase).join(` || ' ' || `)} || ${rareWord}
        || ${tagIndexes.map((i) => `COALESCE(' #' || ${stem(i)} || ${tag(i)}, '')`).join(' || ')},
      'https://example.com/posts/' || n, at,
      ${POST_METRICS.map((name, i) => metric(name, 2 + i)).join(',\n      ')},
      CASE WHEN ${chance(50)} < 0.9 THEN a.followers END, now(), CASE WHEN ${chance(51)} < 0.005 THEN now() END, at
    FROM generate_series($5::int, $6::int, -1) n
    CROSS JOIN LATERAL (SELECT now() - ($3::int * interval '1 day') * ((n - ${chance(60)}) / $2::float8) AS at) x
    JOIN chosen a ON a.i = floor(cardinality($4::uuid[]) * power(${chance(61)}, 2))
    ${phraseIndexes
      .map(
        (i) =>
          `JOIN ${PHRASES_TABLE} phrase${i} ON phrase${i}.i = hashint8extended(n, ${70 + i}) & ${PHRASES - 1}`,
      )
      .join('\n    ')}`
}

const NUMBER = 'substring(p.platform_post_id FROM 8)::bigint'

/** The hashtags of posts, as their texts have them. Parameters: workspace, from, to (numbers of posts). */
export function insertHashtags(): string {
  const isNew = (i: number) =>
    ['TRUE', ...tagIndexes.slice(0, i).map((before) => `n${i} IS DISTINCT FROM n${before}`)].join(' AND ')
  // OFFSET keeps Postgres from working the same out again for every use.
  return `
    INSERT INTO post_hashtags (workspace_id, post_id, tag, display, account_id, platform, posted_at)
    SELECT $1, p.id, 'tag' || w.number, w.stem || w.number, p.account_id, p.platform, p.posted_at
    FROM (
      SELECT p.id, p.account_id, p.platform, p.posted_at,
        ${tagIndexes.map((i) => `${tag(i)} AS n${i}, ${stem(i)} AS stem${i}`).join(', ')}
      FROM (SELECT p.*, ${NUMBER} AS n FROM posts p WHERE p.workspace_id = $1) p
      WHERE n BETWEEN $3 AND $2 AND ${chance(30)} < ${SHARE_WITH_TAGS} OFFSET 0
    ) p
    CROSS JOIN LATERAL (
      VALUES ${tagIndexes.map((i) => `(n${i}, stem${i}, ${isNew(i)})`).join(', ')}
    ) w (number, stem, is_new)
    WHERE w.number IS NOT NULL AND w.is_new`
}

/** What posts are searched by, as a trigger would have written it. Parameters: workspace, from, to (numbers of posts). */
export function insertSearch(): string {
  return `
    INSERT INTO post_search (post_id, workspace_id, account_id, kind, posted_at, terms)
    SELECT p.id, p.workspace_id, p.account_id, p.kind, p.posted_at,
      app_search_vector(p.workspace_id, p.posted_at, p.text)
    FROM posts p WHERE p.workspace_id = $1 AND ${NUMBER} BETWEEN $3 AND $2`
}

/**
 * Readings of every $4-th post, growing towards what it has now. Parameters: workspace, from, to (numbers of
 * posts), step.
 */
export function insertSnapshots(): string {
  const growing = POST_METRICS.map((name) => `floor(p.${name} * share)::bigint`)
  return `
    INSERT INTO post_snapshots (workspace_id, post_id, observed_at, ${POST_METRICS.join(', ')})
    SELECT $1, p.id, p.posted_at + (p.metrics_at - p.posted_at) * power(k / ${READINGS_A_POST}::float8, 3),
      ${growing.join(', ')}
    FROM posts p CROSS JOIN (
      SELECT k, sqrt(k / ${READINGS_A_POST}::float8) AS share FROM generate_series(1, ${READINGS_A_POST}) k OFFSET 0
    ) r
    WHERE p.workspace_id = $1 AND ${NUMBER} BETWEEN $3 AND $2 AND ${NUMBER} % $4 = 0
      -- Readings of a newer one would be at the same moment.
      AND p.posted_at < p.metrics_at - interval '1 minute'`
}

/** Accounts that nobody syncs, on these platforms in turn. Parameters: workspace, accounts, days, brands. */
export function insertAccounts(platforms: readonly Platform[], leastFollowers: number): string {
  const names = `(ARRAY[${platforms.map((platform) => `'${platform}'`).join(', ')}])`
  return `
    INSERT INTO accounts (id, workspace_id, brand_id, platform, external_id, handle, display_name, source, status,
      tracked_since, followers)
    SELECT uuidv7(), $1, ($4::uuid[])[1 + n % GREATEST(1, cardinality($4::uuid[]))],
      ${names}[1 + n % ${platforms.length}], 'import:account' || n, 'account' || n || '.example.com', 'Account ' || n,
      'import', 'imported', now() - make_interval(days => $3), ${leastFollowers} * (n + 1)
    FROM generate_series(0, $2::int - 1) n RETURNING id`
}
