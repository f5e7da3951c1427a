import { sql } from 'drizzle-orm'
import {
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { PLATFORMS } from '../../domain/platforms.ts'
import { count, type LastKnown, moment, workspaceRef } from './columns.ts'
import { brands, workspaces } from './workspaces.ts'

export const accounts = pgTable(
  'accounts',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    brandId: uuid('brand_id'),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    /** The platform's stable id; `import:<handle>` for an account known from files alone. */
    externalId: text('external_id').notNull(),
    /** API host, where a platform has many. */
    host: text('host'),
    handle: text('handle').notNull(),
    displayName: text('display_name'),
    url: text('url'),
    avatarUrl: text('avatar_url'),
    /** How its posts come in: read by anyone, with the deployment's own app, with a credential, or from files. */
    source: text('source', { enum: ['public', 'app', 'credential', 'import'] }).notNull(),
    status: text('status', {
      enum: ['active', 'paused', 'needs_auth', 'gone', 'error', 'imported'],
    }).notNull(),
    /** A sentence for people: why it is not being read. */
    statusReason: text('status_reason'),
    followers: count('followers'),
    following: count('following'),
    posts: count('posts'),
    metricsAt: moment('metrics_at'),
    /** Of counts that the last reading did not have, when they were read last; see `LastKnown`. */
    lastKnown: jsonb('last_known').$type<LastKnown>(),
    /** Posts published from here on gain from 0; for older ones the first reading is a baseline. */
    trackedSince: moment('tracked_since'),
    lastSyncedAt: moment('last_synced_at'),
    /** When its newest posts are read again; `null`: never. */
    nextSyncAt: moment('next_sync_at'),
    /** Not read ahead of its turn until then, whoever is looking: it is claimed, or was asked to wait. */
    notBefore: moment('not_before'),
    /** Why the last attempt gave nothing: `rate_limited`, `platform_down` …; `null` after a success. */
    staleReason: text('stale_reason'),
    /** Attempts in a row that gave nothing: the more, the later the next. */
    failures: integer('failures').notNull().default(0),
    /** First time the platform said that it is gone or not to be read; once proves nothing. */
    doubtfulSince: moment('doubtful_since'),
    /** Where the reading of older posts goes on; `null` with `backfilled_at` set: done. */
    backfillCursor: text('backfill_cursor'),
    backfilledAt: moment('backfilled_at'),
    createdAt: moment('created_at').notNull().defaultNow(),
    deletedAt: moment('deleted_at'),
  },
  (t) => [
    uniqueIndex('accounts_external_live')
      .on(t.workspaceId, t.platform, sql`COALESCE(host, '')`, t.externalId)
      .where(sql`deleted_at IS NULL`),
    index('accounts_workspace_live').on(t.workspaceId, t.id).where(sql`deleted_at IS NULL`),
    index('accounts_workspace').on(t.workspaceId),
    index('accounts_due').on(t.nextSyncAt).where(sql`deleted_at IS NULL AND status = 'active'`),
    // Removing a brand frees its accounts; the migration says that only `brand_id` becomes null.
    foreignKey({
      name: 'accounts_brand_in_workspace',
      columns: [t.workspaceId, t.brandId],
      foreignColumns: [brands.workspaceId, brands.id],
    }).onDelete('set null'),
    unique('accounts_in_workspace').on(t.workspaceId, t.id),
    index('accounts_brand').on(t.workspaceId, t.brandId),
    index('accounts_deleted').on(t.deletedAt).where(sql`deleted_at IS NOT NULL`),
  ],
)

/** Followers, following and posts of an account over time: a row when they changed, and at least one a day. */
export const accountMetrics = pgTable(
  'account_metrics',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    observedAt: moment('observed_at').notNull(),
    followers: count('followers'),
    following: count('following'),
    posts: count('posts'),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.observedAt] }),
    index('account_metrics_workspace').on(t.workspaceId),
  ],
)
