import { type SQL, sql } from 'drizzle-orm'
import {
  boolean,
  customType,
  index,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { PLATFORMS, POST_KINDS } from '../../domain/platforms.ts'
import { accounts } from './accounts.ts'
import { count, type LastKnown, moment, postMetricColumns, workspaceRef } from './columns.ts'
import { workspaces } from './workspaces.ts'

/**
 * Engagements: likes + comments + shares + quotes + saves, of those known; unknown when none is.
 * (A generated column, so that it can be neither forgotten nor wrong.)
 */
const engagementsFormula = (): SQL => sql`CASE
    WHEN COALESCE(likes, comments, shares, quotes, saves) IS NULL THEN NULL
    ELSE COALESCE(likes, 0) + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(quotes, 0) + COALESCE(saves, 0)
  END`

/** Counts that lists of posts are sorted by, each by an index of its own. */
const SORTED_COUNTS = ['engagements', 'likes', 'comments', 'shares', 'saves', 'views'] as const

export const posts = pgTable(
  'posts',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    platformPostId: text('platform_post_id').notNull(),
    kind: text('kind', { enum: POST_KINDS }).notNull(),
    text: text('text'),
    url: text('url'),
    postedAt: moment('posted_at').notNull(),
    media: jsonb('media').notNull().default([]),
    ...postMetricColumns(),
    engagements: count('engagements').generatedAlwaysAs(engagementsFormula),
    /** Followers of its account when it was published, where that was being watched. */
    followersAtPosting: count('followers_at_posting'),
    /** When its metrics were read; `null` for an import that does not say. */
    metricsAt: moment('metrics_at'),
    /** Of metrics that the last reading did not have, when they were read last; see `LastKnown`. */
    lastKnown: jsonb('last_known').$type<LastKnown>(),
    /** Whether what stands here was read where anyone can: neither from a file nor with a credential. */
    publiclyRead: boolean('publicly_read').notNull().default(false),
    firstSeenAt: moment('first_seen_at').notNull().defaultNow(),
    nextRefreshAt: moment('next_refresh_at'),
    /** Readings in a row in which nothing moved: the more, the rarer the next. */
    stillReadings: smallint('still_readings').notNull().default(0),
    /** First time its platform left it out of an answer; one absence proves nothing. */
    absentSince: moment('absent_since'),
    /** Deleted on its platform: out of every total from then on, kept in history. */
    deletedAt: moment('deleted_at'),
    /**
     * Up to here its snapshots do not tell what it gained. Noted by a trigger (`drizzle/0011_reconciliation.sql`),
     * and by ingest where it no longer keeps a last known figure.
     */
    gainsUnclearUntil: moment('gains_unclear_until'),
  },
  (t) => [
    uniqueIndex('posts_platform_id').on(t.accountId, t.platformPostId),
    index('posts_account_posted').on(t.accountId, t.postedAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('posts_workspace_posted').on(
      t.workspaceId,
      t.postedAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    // Led by the account: whatever accounts are asked for, each one's best are at its beginning.
    ...SORTED_COUNTS.map((metric) =>
      index(`posts_account_${metric}`)
        .on(
          t.accountId,
          sql.raw(`(CASE WHEN ${metric} IS NULL THEN '-1'::bigint ELSE ${metric} END) DESC`),
          t.id.desc().nullsFirst(),
        )
        .concurrently(),
    ),
    index('posts_account_rate')
      .on(
        t.accountId,
        sql`COALESCE(engagements::float8 / NULLIF(followers_at_posting, 0), -1) DESC`,
        t.id.desc().nullsFirst(),
      )
      .concurrently(),
    // Equal entries are stored once, so that it costs next to nothing.
    index('posts_workspace_kind').on(t.workspaceId, t.kind).concurrently(),
    index('posts_deleted').on(t.workspaceId, t.postedAt).where(sql`deleted_at IS NOT NULL`).concurrently(),
    index('posts_due')
      .on(t.platform, t.nextRefreshAt)
      .where(sql`next_refresh_at IS NOT NULL AND deleted_at IS NULL`),
  ],
)

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })

/**
 * What posts are found by: a row for each post that has a text, written by a trigger on `posts`
 * (`drizzle/0013_search.sql`). Apart from the posts, as those are written at every reading of their metrics, and an
 * index of words is dear to write.
 */
export const postSearch = pgTable(
  'post_search',
  {
    postId: uuid('post_id')
      .primaryKey()
      .references(() => posts.id, { onDelete: 'cascade' }),
    workspaceId: workspaceRef(),
    accountId: uuid('account_id').notNull(),
    kind: text('kind', { enum: POST_KINDS }).notNull(),
    postedAt: moment('posted_at').notNull(),
    /** The words of its text, and one that stands for its workspace and month. */
    terms: tsvector('terms').notNull(),
  },
  (t) => [
    index('post_search_posted').on(
      t.workspaceId,
      t.postedAt.desc().nullsFirst(),
      t.postId.desc().nullsFirst(),
    ),
    index('post_search_terms').using('gin', t.terms).with({ gin_pending_list_limit: 1024 }).concurrently(),
  ],
)

/**
 * What a post's metrics were, at every moment at which they were found changed. Partitioned by month of
 * `observed_at` (the generated migration is edited for that: a table cannot be partitioned later).
 */
export const postSnapshots = pgTable(
  'post_snapshots',
  {
    workspaceId: workspaceRef(),
    postId: uuid('post_id').notNull(),
    observedAt: moment('observed_at').notNull(),
    ...postMetricColumns(),
  },
  (t) => [
    primaryKey({ columns: [t.postId, t.observedAt] }),
    index('post_snapshots_workspace').on(t.workspaceId, t.observedAt),
  ],
)

export const postHashtags = pgTable(
  'post_hashtags',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id, { onDelete: 'cascade' }),
    /** Normalised: NFKC, case folded. */
    tag: text('tag').notNull(),
    /** As its author wrote it. */
    display: text('display').notNull(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    postedAt: moment('posted_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.postId, t.tag] }),
    index('post_hashtags_tag').on(t.workspaceId, t.tag, t.postedAt.desc().nullsFirst()),
    index('post_hashtags_posted').on(t.workspaceId, t.postedAt),
    index('post_hashtags_account').on(t.accountId),
    index('post_hashtags_public').on(t.postedAt),
  ],
)
