import { boolean, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { count, moment, workspaceRef } from './columns.ts'
import { workspaces } from './workspaces.ts'

/** Trending hashtags of a workspace, worked out ahead for each window and platform (`all`: every one). */
export const trendingHashtags = pgTable(
  'trending_hashtags',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    window: text('window', { enum: ['1h', '24h', '7d'] }).notNull(),
    platform: text('platform').notNull(),
    computedAt: moment('computed_at').notNull(),
    items: jsonb('items').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.window, t.platform] })],
)

/** Where what anybody may see stands, which is no workspace's: one row. */
export const publicScope = pgTable('public_scope', {
  singleton: boolean('singleton').primaryKey().default(true),
  /** Raised by every change of the stored lists that tells news. */
  generation: count('generation').notNull(),
  /** Up to which generation listeners have been told. */
  toldGeneration: count('told_generation').notNull(),
  /** Windows whose lists have changed since then. */
  untoldWindows: text('untold_windows').array().notNull().default([]),
  /** When the first of them did; `null` where everything has been told. */
  untoldSince: moment('untold_since'),
})

/** Trending hashtags of the public, worked out ahead for each window and platform (`all`: every one). */
export const publicTrendingHashtags = pgTable(
  'public_trending_hashtags',
  {
    window: text('window', { enum: ['1h', '24h', '7d'] }).notNull(),
    platform: text('platform').notNull(),
    computedAt: moment('computed_at').notNull(),
    /** The public's when it was stored: it is of use for as long as that stands. */
    generation: count('generation').notNull(),
    trends: jsonb('trends').notNull(),
  },
  (t) => [primaryKey({ columns: [t.window, t.platform] })],
)
