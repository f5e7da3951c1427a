import { sql } from 'drizzle-orm'
import { boolean, date, index, jsonb, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { count, moment, rollupColumns, workspaceRef } from './columns.ts'
import { workspaces } from './workspaces.ts'

const accountRef = () =>
  uuid('account_id')
    .notNull()
    .references(() => accounts.id, { onDelete: 'cascade' })

/** Sums per account and day, in the workspace's timezone: what the overview reads. */
export const accountDays = pgTable(
  'account_days',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    accountId: accountRef(),
    day: date('day', { mode: 'string' }).notNull(),
    ...rollupColumns(),
    /** Last reading of the day. */
    followers: count('followers'),
    followersReadAt: moment('followers_read_at'),
    /** The ten posts of the day with most engagements: `[{ id, engagements }]`. */
    topPosts: jsonb('top_posts').notNull().default([]),
    /** `top_posts` has to be made anew before the transaction that set this ends. */
    topPostsStale: boolean('top_posts_stale').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.day] }),
    index('account_days_workspace').on(t.workspaceId, t.day),
    index('account_days_stale').on(t.workspaceId).where(sql`top_posts_stale`),
  ],
)

/** The same sums per quarter of an hour: every offset in use is a multiple of it, so any timezone's days are sums of these. */
export const accountQuarters = pgTable(
  'account_quarters',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    accountId: accountRef(),
    quarter: moment('quarter').notNull(),
    ...rollupColumns(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.quarter] }),
    index('account_quarters_workspace').on(t.workspaceId, t.quarter),
  ],
)
