import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { PLATFORMS } from '../../domain/platforms.ts'
import { count, moment, workspaceRef } from './columns.ts'
import { workspaces } from './workspaces.ts'

export const JOB_STATUSES = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'] as const
export const JOB_KINDS = ['import', 'account_sync', 'account_batch'] as const

/** Everything that is done in the background on somebody's request. */
export const jobs = pgTable(
  'jobs',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: JOB_KINDS }).notNull(),
    status: text('status', { enum: JOB_STATUSES }).notNull().default('queued'),
    done: count('done').notNull().default(0),
    total: count('total'),
    params: jsonb('params').notNull().default({}),
    result: jsonb('result'),
    resultUrl: text('result_url'),
    error: jsonb('error'),
    createdBy: text('created_by').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
  },
  (t) => [
    index('jobs_workspace').on(t.workspaceId, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('jobs_open').on(t.expiresAt).where(sql`status IN ('queued', 'running')`),
    index('jobs_expiry').on(t.expiresAt),
  ],
)

/** One uploaded file. Its job has the same id. */
export const imports = pgTable(
  'imports',
  {
    id: uuid('id')
      .primaryKey()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    /** The account for rows that name none. */
    handle: text('handle'),
    format: text('format', { enum: ['csv', 'ndjson'] }).notNull(),
    objectKey: text('object_key').notNull(),
    sizeBytes: count('size_bytes').notNull(),
    /** CSV: names of the columns, in order. */
    columns: jsonb('columns'),
    /** All bytes before this one are in the database, for good. */
    nextOffset: count('next_offset').notNull().default(0),
    nextLine: integer('next_line').notNull().default(1),
    /** `next_offset` lies inside an overlong line that is being skipped. */
    nextSkipping: boolean('next_skipping').notNull().default(false),
    inserted: integer('inserted').notNull().default(0),
    updated: integer('updated').notNull().default(0),
    unchanged: integer('unchanged').notNull().default(0),
    /** Rows, each of which may have several errors. */
    rejected: integer('rejected').notNull().default(0),
    /** Also the moment against which every range of the file measures what lies in the future. */
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [index('imports_workspace').on(t.workspaceId, t.createdAt)],
)

/** Why a line of an import was refused. */
export const importErrors = pgTable(
  'import_errors',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    importId: uuid('import_id')
      .notNull()
      .references(() => imports.id, { onDelete: 'cascade' }),
    line: integer('line').notNull(),
    /** Rises within a line, so that each of its problems has a row. */
    ordinal: integer('ordinal').notNull(),
    column: text('column'),
    message: text('message').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.importId, t.line, t.ordinal] }),
    index('import_errors_workspace').on(t.workspaceId),
  ],
)

/** First answers to POSTs that carried an `Idempotency-Key`. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    /** Who asked: `user:<id>` or `key:<id>`. */
    caller: text('caller').notNull(),
    path: text('path').notNull(),
    key: text('key').notNull(),
    bodyHash: text('body_hash').notNull(),
    /** `null` while the first request is still running. */
    status: integer('status'),
    headers: jsonb('headers'),
    body: text('body'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.caller, t.path, t.key] }),
    index('idempotency_keys_created').on(t.createdAt),
  ],
)

/**
 * Events that a change of data causes, written with it. A row's position is the generation that the change
 * raised: it is taken under the workspace's lock, so rows become visible in its order.
 */
export const outbox = pgTable(
  'outbox',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    generation: count('generation').notNull(),
    /** `[{ type, data }]` */
    events: jsonb('events').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    deliveredAt: moment('delivered_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.generation] }),
    index('outbox_undelivered').on(t.workspaceId, t.generation).where(sql`delivered_at IS NULL`),
    index('outbox_created').on(t.createdAt),
  ],
)
