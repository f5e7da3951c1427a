import { type SQL, sql } from 'drizzle-orm'
import {
  PLATFORM_FACTS,
  PLATFORMS,
  POST_METRICS,
  type PostKind,
  type PostMetrics,
} from '../../../domain/platforms.ts'
import {
  MAX_STILL_FACTOR,
  MOVING_FACTOR,
  OLD_PAID_POST_EVERY_SECONDS,
  OLD_POST_EVERY_SECONDS,
  PAID_PLATFORMS,
  PAID_POST_TIERS,
  POST_TIERS,
} from '../../../domain/sync-tiers.ts'
import type { PostMedia } from '../../../ports.ts'
import { type Statement, statement } from '../../client.ts'
import { array } from '../overview.ts'
import {
  addToRollup,
  each,
  engagementsOf,
  gainedCells,
  knownCount,
  lastKnown,
  metricNames,
  publishedCells,
  rollupSums,
} from './sql.ts'

/** One reading of one post. */
export interface PostReading {
  /** The post's id here, if it is new. */
  id: string
  accountId: string
  platformPostId: string
  kind: PostKind
  text: string | null
  url: string | null
  postedAt: string
  media: PostMedia[]
  hashtags: { tag: string; display: string }[]
  metrics: PostMetrics
  /** `null`: an import that does not say. Such a reading never replaces one whose time is known. */
  observedAt: string | null
}

/** A post that its platform left out of an answer that named it. */
export interface PostAbsence {
  accountId: string
  platformPostId: string
  observedAt: string
}

/** How many of a batch's posts were new, changed, the same, or older than what is stored. */
export interface IngestCounts {
  inserted: number
  updated: number
  unchanged: number
}

/** Only when an import stands exactly here does its range count; a repeated delivery finds it elsewhere. */
export interface ImportGuard {
  importId: string
  fromOffset: number
}

/**
 * A platform has to leave a post out twice, this far apart, and to have shown its account in between, before
 * the post is taken for deleted: the posts of an account that is suspended are out of sight as well.
 */
export const ABSENCE_CONFIRMED_AFTER = '10 minutes'

/** Platforms whose terms forbid keeping what a deleted post said. */
const FORGETFUL = PLATFORMS.filter((platform) => PLATFORM_FACTS[platform].storage?.forgetsDeleted)

/** `tidemark.*` settings live for the transaction: they carry results from one statement to the next. */
export const POSTS_CHANGED_SETTING = 'tidemark.posts_changed'
export const INGEST_COUNTS_SETTING = 'tidemark.ingest_counts'

function toJson(readings: PostReading[], absences: PostAbsence[]): string {
  return JSON.stringify([
    ...readings.map((r, ordinal) => ({
      id: r.id,
      ordinal,
      account_id: r.accountId,
      platform_post_id: r.platformPostId,
      kind: r.kind,
      body: r.text,
      url: r.url,
      posted_at: r.postedAt,
      media: r.media,
      tags: r.hashtags,
      observed_at: r.observedAt,
      absent: false,
      ...Object.fromEntries(POST_METRICS.map((m) => [`read_${m}`, r.metrics[m]])),
    })),
    ...absences.map((a, i) => ({
      ordinal: readings.length + i,
      account_id: a.accountId,
      platform_post_id: a.platformPostId,
      observed_at: a.observedAt,
      absent: true,
    })),
  ])
}

/** Seconds until the next reading, in SQL: the same rule as `refreshAfterSeconds`, with up to a tenth of jitter. */
function refreshAfter(): SQL {
  const age = 'EXTRACT(EPOCH FROM observed_at - posted_at)'
  const every = (tiers: typeof POST_TIERS | typeof PAID_POST_TIERS, oldSeconds: number) => {
    const cases = tiers.map((t) => `WHEN ${age} < ${t.youngerThanHours * 3600} THEN ${t.everySeconds}`)
    return `CASE ${cases.join(' ')} ELSE ${oldSeconds} END`
  }
  const isPaid = `platform IN (${PAID_PLATFORMS.map((platform) => `'${platform}'`).join(', ')})`
  return sql.raw(`(CASE WHEN ${isPaid} THEN ${every(PAID_POST_TIERS, OLD_PAID_POST_EVERY_SECONDS)}
      ELSE ${every(POST_TIERS, OLD_POST_EVERY_SECONDS)} END
    * CASE WHEN moved THEN ${MOVING_FACTOR} ELSE LEAST(${MAX_STILL_FACTOR}, POWER(2, GREATEST(0, still_now - 1))) END
    * (0.9 + 0.1 * random())) * interval '1 second'`)
}

/**
 * What a metric gained by this reading: against what it was known to be last, or from 0 for a post that was watched
 * from its birth.
 * @param read the column that holds what the reading itself says
 */
export const gainOf = (m: string, read = m) => `CASE
    WHEN ${read} IS NULL THEN NULL
    WHEN old_metrics_at IS NOT NULL AND old_${m} IS NOT NULL THEN ${read} - old_${m}
    WHEN tracked_since IS NOT NULL AND posted_at >= tracked_since THEN ${read}
  END`

/** The same at ingest, where what was known and is not kept gives no base. */
const gainAtIngest = (m: string) =>
  `CASE WHEN old_${m} IS NOT NULL OR NOT COALESCE(old_last_known ? '${m}', FALSE) THEN ${gainOf(m, `read_${m}`)} END`

/**
 * Takes readings of posts in: upserts the posts, keeps a snapshot of what changed, replaces hashtags, and
 * applies the difference to both rollups. A metric that the reading does not have stays what it was (`last_known`);
 * its snapshot tells what was read. Runs under the lock of the workspace's row, taken by a statement
 * before it in the same transaction, which is what makes the old values it reads true. Repeating it changes
 * nothing, and a reading older than the stored one is dropped whole.
 */
export function ingestPosts(
  workspaceId: string,
  readings: PostReading[],
  absences: PostAbsence[],
  guard?: ImportGuard,
): Statement<IngestCounts> {
  const allowed = guard
    ? sql`EXISTS (SELECT 1 FROM imports WHERE id = ${guard.importId} AND next_offset = ${guard.fromOffset})`
    : sql`TRUE`
  // Whether what an account of this source gives is what anyone can read: not of a file, nor with a credential.
  const isPublic = (source: SQL) => sql`(${source} = 'public' AND ${guard === undefined})`
  const forgets = sql`(c.deletes AND p.platform = ANY (${array(FORGETFUL)}::text[]))`
  return statement<IngestCounts>(sql`
    WITH ws AS (SELECT id, timezone FROM workspaces WHERE id = ${workspaceId}),
    input AS (
      -- Sorted, so that two batches touch rows in the same order; of two readings of one post, the newer.
      SELECT DISTINCT ON (r.account_id, r.platform_post_id) r.*, a.platform, a.tracked_since, a.source, a.followers,
        CASE WHEN a.doubtful_since IS NULL THEN a.last_synced_at END AS account_seen_at
      FROM jsonb_to_recordset(${toJson(readings, absences)}::jsonb) AS r (
        id uuid, ordinal int, account_id uuid, platform_post_id text, kind text, body text, url text,
        posted_at timestamptz, media jsonb, tags jsonb, observed_at timestamptz, absent boolean,
        ${each(POST_METRICS, (m) => `read_${m} bigint`)}
      )
      JOIN accounts a ON a.id = r.account_id
      WHERE ${allowed}
      ORDER BY r.account_id, r.platform_post_id, r.observed_at DESC NULLS LAST, r.ordinal DESC
    ),
    compared AS (
      SELECT i.*, o.id AS old_id, o.kind AS old_kind, o.posted_at AS old_posted_at,
        o.metrics_at AS old_metrics_at, o.deleted_at AS old_deleted_at, o.still_readings AS old_still,
        o.followers_at_posting AS old_followers_at_posting, o.engagements AS old_engagements,
        o.last_known AS old_last_known, k.last_known, ${each(POST_METRICS, knownCount)},
        ${each(POST_METRICS, (m) => `o.${m} AS old_${m}`)},
        COALESCE(o.id, i.id) AS post_id,
        NOT i.absent AND (
          o.id IS NULL OR o.metrics_at IS NULL OR COALESCE(i.observed_at > o.metrics_at, FALSE)
        ) AS takes,
        i.absent AND o.deleted_at IS NULL AND o.absent_since IS NULL AND o.id IS NOT NULL
          AND i.observed_at > COALESCE(o.metrics_at, '-infinity') AS goes_missing,
        i.absent AND o.deleted_at IS NULL AND i.observed_at > COALESCE(o.metrics_at, '-infinity')
          AND COALESCE(o.absent_since < i.observed_at - ${ABSENCE_CONFIRMED_AFTER}::interval
            AND o.absent_since < i.account_seen_at, FALSE) AS deletes,
        o.id IS NOT NULL AND (
          (i.kind, COALESCE(i.body, f.kept_text, ''), COALESCE(i.url, f.kept_url, ''))
            IS DISTINCT FROM (o.kind, COALESCE(o.text, ''), COALESCE(o.url, ''))
        ) AS reworded,
        f.publishes
      FROM input i
      LEFT JOIN posts o ON o.account_id = i.account_id AND o.platform_post_id = i.platform_post_id
      -- A reading that says nothing of the text leaves it, but what anyone can read never becomes mixed with
      -- what a file said.
      CROSS JOIN LATERAL (
        SELECT publishes, CASE WHEN NOT publishes THEN o.text END AS kept_text,
          CASE WHEN NOT publishes THEN o.url END AS kept_url
        FROM (SELECT COALESCE(${isPublic(sql`i.source`)} AND NOT o.publicly_read, FALSE) AS publishes) p
      ) f
      CROSS JOIN LATERAL (${lastKnown(POST_METRICS, 'i.platform', sql`NOT f.publishes`)}) k
    ),
    state AS (
      SELECT c.*,
        ${engagementsOf()} AS engagements,
        -- An account whose followers nobody ever told has no history worth searching.
        CASE WHEN old_id IS NOT NULL OR NOT takes THEN old_followers_at_posting WHEN followers IS NOT NULL THEN (
          SELECT m.followers FROM account_metrics m
          WHERE m.account_id = c.account_id AND m.observed_at <= c.posted_at AND m.followers IS NOT NULL
          ORDER BY m.observed_at DESC LIMIT 1
        ) END AS followers_at_posting,
        CASE WHEN takes AND old_id IS NOT NULL AND NOT moved
          THEN LEAST(COALESCE(old_still, 0) + 1, 100) ELSE 0 END AS still_now
      FROM (
        SELECT compared.*, takes AND old_id IS NOT NULL AND
          (last_known, ${metricNames()}) IS DISTINCT FROM (old_last_known, ${metricNames('old_')}) AS moved,
          takes AND (${each(POST_METRICS, (m) => `(${m} IS NULL AND old_${m} IS NOT NULL)`, ' OR ')}) AS forgets
        FROM compared
      ) c
    ),
    change AS (
      SELECT s.*,
        takes AND (old_id IS NULL OR moved OR old_deleted_at IS NOT NULL
          OR posted_at <> old_posted_at OR kind <> old_kind) AS recounts,
        -- Tags stand in the text: where that is the same, they are; but a file may say of them what it likes.
        takes AND (old_id IS NULL OR reworded OR publishes OR posted_at <> old_posted_at) AS retags
      FROM state s
    ),
    stored AS (
      INSERT INTO posts (
        id, workspace_id, account_id, platform, platform_post_id, kind, text, url, posted_at, media,
        ${metricNames()}, followers_at_posting, metrics_at, last_known, next_refresh_at, still_readings,
        publicly_read, gains_unclear_until
      )
      SELECT post_id, ws.id, account_id, platform, platform_post_id, kind, body, url, posted_at,
        COALESCE(media, '[]'), ${metricNames()}, followers_at_posting, observed_at, last_known,
        CASE WHEN source <> 'import' AND kind <> 'repost' THEN observed_at + ${refreshAfter()} END, still_now,
        ${isPublic(sql`source`)}, CASE WHEN forgets THEN observed_at END
      FROM change, ws WHERE takes
      ORDER BY account_id, platform_post_id
      ON CONFLICT (account_id, platform_post_id) DO UPDATE SET
        kind = excluded.kind,
        text = COALESCE(excluded.text, CASE WHEN posts.publicly_read >= excluded.publicly_read THEN posts.text END),
        url = COALESCE(excluded.url, CASE WHEN posts.publicly_read >= excluded.publicly_read THEN posts.url END),
        posted_at = excluded.posted_at, media = excluded.media,
        ${each(POST_METRICS, (m) => `${m} = excluded.${m}`)},
        metrics_at = excluded.metrics_at, last_known = excluded.last_known, next_refresh_at = excluded.next_refresh_at,
        still_readings = excluded.still_readings, publicly_read = excluded.publicly_read,
        gains_unclear_until = COALESCE(excluded.gains_unclear_until, posts.gains_unclear_until),
        absent_since = NULL, deleted_at = NULL
    ),
    missing AS (
      UPDATE posts p SET
        absent_since = COALESCE(p.absent_since, c.observed_at),
        -- Whenever it is certain: it was gone when it was first missing.
        deleted_at = CASE WHEN c.deletes THEN p.absent_since END,
        metrics_at = CASE WHEN c.deletes THEN GREATEST(p.metrics_at, p.absent_since) ELSE p.metrics_at END,
        next_refresh_at = CASE WHEN c.deletes THEN NULL
          ELSE c.observed_at + ${ABSENCE_CONFIRMED_AFTER}::interval END,
        text = CASE WHEN ${forgets} THEN NULL ELSE p.text END,
        url = CASE WHEN ${forgets} THEN NULL ELSE p.url END,
        media = CASE WHEN ${forgets} THEN '[]' ELSE p.media END
      FROM change c WHERE p.id = c.old_id AND (c.goes_missing OR c.deletes)
    ),
    snapshotted AS (
      INSERT INTO post_snapshots (workspace_id, post_id, observed_at, ${metricNames()})
      SELECT ws.id, post_id, observed_at, ${metricNames('read_')} FROM change, ws
      WHERE takes AND observed_at IS NOT NULL AND kind <> 'repost'
        AND (old_id IS NULL OR moved OR old_metrics_at IS NULL)
      ON CONFLICT DO NOTHING
    ),
    tagged AS (
      SELECT c.post_id, c.account_id, c.platform, c.posted_at, t.tag, min(t.display) AS display
      FROM change c, jsonb_to_recordset(c.tags) AS t (tag text, display text)
      WHERE c.kind <> 'repost' AND c.retags
      GROUP BY 1, 2, 3, 4, 5
    ),
    untagged AS (
      DELETE FROM post_hashtags h USING change c
      WHERE h.post_id = c.old_id AND c.retags
        AND NOT EXISTS (SELECT 1 FROM tagged t WHERE t.post_id = h.post_id AND t.tag = h.tag)
      RETURNING 1
    ),
    tags_stored AS (
      INSERT INTO post_hashtags (workspace_id, post_id, tag, display, account_id, platform, posted_at)
      SELECT ws.id, post_id, tag, display, account_id, platform, posted_at FROM tagged, ws
      ON CONFLICT (post_id, tag) DO UPDATE SET display = excluded.display, posted_at = excluded.posted_at
        WHERE (post_hashtags.display, post_hashtags.posted_at)
          IS DISTINCT FROM (excluded.display, excluded.posted_at)
      RETURNING 1
    ),
    contribution AS (
      SELECT account_id, old_posted_at AS at, -1 AS sign,
        ${each(POST_METRICS, (m) => `old_${m} AS ${m}`)}, old_engagements AS engagements,
        old_followers_at_posting AS followers_at_posting
      FROM change
      WHERE (recounts OR deletes) AND old_id IS NOT NULL AND old_deleted_at IS NULL AND old_kind <> 'repost'
      UNION ALL
      SELECT account_id, posted_at, 1, ${metricNames()}, engagements, followers_at_posting
      FROM change WHERE recounts AND kind <> 'repost'
    ),
    gain AS (
      SELECT account_id, observed_at AS at, ${each(POST_METRICS, (m) => `${gainAtIngest(m)} AS gained_${m}`)}
      FROM change WHERE takes AND observed_at IS NOT NULL AND kind <> 'repost'
    ),
    cell AS (
      SELECT account_id, at, TRUE AS recounts, ${publishedCells()} FROM contribution
      UNION ALL
      SELECT account_id, at, FALSE, ${gainedCells()} FROM (
        SELECT gain.*, ${engagementsOf('gained_')} AS gained_engagements FROM gain
      ) g
    ),
    by_day AS (
      SELECT ws.id AS workspace_id, account_id, (at AT TIME ZONE ws.timezone)::date AS day, ${rollupSums()},
        bool_or(recounts) AS top_posts_stale
      FROM cell, ws GROUP BY 1, 2, 3
    ),
    by_quarter AS (
      SELECT ws.id AS workspace_id, account_id,
        date_bin('15 minutes', at, '2000-01-01T00:00:00Z') AS quarter, ${rollupSums()}
      FROM cell, ws GROUP BY 1, 2, 3
    ),
    days_stored AS (${addToRollup({ table: 'account_days', time: 'day', source: 'by_day', marksTopPosts: true })}),
    quarters_stored AS (${addToRollup({
      table: 'account_quarters',
      time: 'quarter',
      source: 'by_quarter',
      marksTopPosts: false,
    })}),
    account_delta AS (
      SELECT account_id, ${rollupSums()} FROM cell GROUP BY 1
    ),
    told AS (
      SELECT jsonb_build_object(
        'accounts', COALESCE((SELECT jsonb_agg(jsonb_build_object('id', account_id, 'delta',
            jsonb_strip_nulls(jsonb_build_object(
              ${each(POST_METRICS, (m) => `'${m}', NULLIF(gained_${m}, 0)`)},
              'engagements', NULLIF(gained_engagements, 0), 'posts', NULLIF(posts, 0)))))
          FROM account_delta), '[]'),
        'posts', COALESCE((SELECT jsonb_agg(post) FROM (
          SELECT jsonb_build_object('id', post_id, 'metrics', jsonb_build_object(
            ${each(POST_METRICS, (m) => `'${m}', ${m}`)}, 'engagements', engagements)) AS post
          FROM change WHERE recounts AND kind <> 'repost'
          ORDER BY ABS(COALESCE(engagements, 0) - COALESCE(old_engagements, 0)) DESC, post_id
          LIMIT 100) most_changed), '[]')
      ) AS event
    ),
    outcome AS (
      SELECT
        COUNT(*) FILTER (WHERE takes AND old_id IS NULL)::int AS inserted,
        COUNT(*) FILTER (WHERE takes AND old_id IS NOT NULL AND (recounts OR reworded))::int AS updated,
        COUNT(*) FILTER (WHERE NOT absent AND NOT (takes AND (recounts OR reworded)))::int AS unchanged,
        COALESCE(bool_or(recounts OR deletes OR (takes AND reworded)), FALSE)
          OR EXISTS (SELECT 1 FROM untagged) OR EXISTS (SELECT 1 FROM tags_stored) AS changed
      FROM change
    )
    SELECT inserted, updated, unchanged,
      set_config(${POSTS_CHANGED_SETTING}, CASE WHEN changed THEN told.event::text ELSE '' END, TRUE) AS told,
      set_config(${INGEST_COUNTS_SETTING},
        jsonb_build_object('inserted', inserted, 'updated', updated, 'unchanged', unchanged)::text, TRUE) AS counts
    FROM outcome, told`)
}
