import { jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { moment, workspaceRef } from './columns.ts'
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
