import { date, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { PLATFORMS } from '../../domain/platforms.ts'
import { count, moment, workspaceRef } from './columns.ts'

const tally = (name: string) => integer(name).notNull().default(0)

/**
 * Calls to platforms: one row for what one delivery did of one kind for one workspace. Partitioned by month of
 * `at` (the migration is edited for that: a table cannot be partitioned later).
 */
export const apiUsage = pgTable(
  'api_usage',
  {
    /** Of the delivery's accounting: told twice, it counts once. */
    id: uuid('id').notNull(),
    workspaceId: workspaceRef(),
    at: moment('at').notNull(),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    /** The instance, where a platform has many. */
    host: text('host'),
    /** What it was called with: `anyone`, `app`, or `token:` and whose allowance it is. */
    credential: text('credential').notNull(),
    operation: text('operation').notNull(),
    calls: tally('calls'),
    /** Of those, how many the platform did not answer in order. */
    failures: tally('failures'),
    /** Things asked for. */
    items: tally('items'),
    /** What the calls took of the platform's allowance. */
    units: tally('units'),
    /** Millionths of a dollar. */
    costMicros: count('cost_micros').notNull().default(0),
    /** Of all calls together. */
    latencyMs: tally('latency_ms'),
    slowestMs: tally('slowest_ms'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id, t.at] }),
    index('api_usage_workspace').on(t.workspaceId, t.at),
    index('api_usage_platform').on(t.platform, t.at),
  ],
)

/** Answers that could not be understood, of the whole deployment: a row for each kind of trouble. */
export const malformedAnswers = pgTable('malformed_answers', {
  /** SHA-256 of platform, operation and what is wrong. */
  fingerprint: text('fingerprint').primaryKey(),
  platform: text('platform', { enum: PLATFORMS }).notNull(),
  host: text('host'),
  operation: text('operation').notNull(),
  /** What is wrong, for people. */
  problem: text('problem').notNull(),
  /** The shape of the answer: names and kinds of values, none of the values themselves. */
  sample: jsonb('sample').notNull(),
  times: tally('times'),
  firstSeenAt: moment('first_seen_at').notNull(),
  lastSeenAt: moment('last_seen_at').notNull(),
})

/** Things that happen in the whole deployment and are worth counting, by UTC day. */
export const deploymentCounters = pgTable(
  'deployment_counters',
  {
    name: text('name').notNull(),
    day: date('day').notNull(),
    value: count('value').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.name, t.day] })],
)
