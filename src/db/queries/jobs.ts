import { type SQL, sql } from 'drizzle-orm'
import type { ErrorCode } from '../../errors.ts'
import { type Statement, statement } from '../client.ts'
import type { JOB_KINDS, JOB_STATUSES } from '../schema/jobs.ts'

export type JobKind = (typeof JOB_KINDS)[number]

export interface JobRow {
  id: string
  kind: JobKind
  status: (typeof JOB_STATUSES)[number]
  done: number
  total: number | null
  result: unknown
  resultUrl: string | null
  error: unknown
  createdAt: string
  updatedAt: string
  expiresAt: string
}

/** What a job is called `j` for. */
const JOB_COLUMNS: SQL = sql.raw(`
  j.id, j.kind, j.status, j.done, j.total, j.result, j.result_url AS "resultUrl", j.error,
  j.created_at AS "createdAt", j.updated_at AS "updatedAt", j.expires_at AS "expiresAt"`)

/** How long a job can be asked for after its end. */
export const RESULT_DAYS = 7

/** Whether job `j` may still change. Every statement that changes one asks this, so that races end here. */
export function isOpen(nowIso: string): SQL {
  return sql`(j.status IN ('queued', 'running') AND j.expires_at > ${nowIso}::timestamptz)`
}

/** When a job that ends now is forgotten. */
export function resultExpiry(nowIso: string): SQL {
  return sql`${nowIso}::timestamptz + make_interval(days => ${RESULT_DAYS}::int)`
}

export interface NewJob {
  id: string
  kind: JobKind
  params: Record<string, unknown>
  total: number | null
  createdBy: string
  createdAtIso: string
  expiresAtIso: string
}

export function insertJob(workspaceId: string, job: NewJob): Statement<JobRow> {
  return statement(sql`
    INSERT INTO jobs AS j (id, workspace_id, kind, params, total, created_by, created_at, updated_at, expires_at)
    VALUES (${job.id}, ${workspaceId}, ${job.kind}, ${JSON.stringify(job.params)}::jsonb, ${job.total},
      ${job.createdBy}, ${job.createdAtIso}, ${job.createdAtIso}, ${job.expiresAtIso})
    RETURNING ${JOB_COLUMNS}`)
}

/** Whether job `j` is this actor's (`user:<id>`, `key:<id>`); `null` asks for no one in particular. */
export function isCreatedBy(createdBy: string | null): SQL {
  return createdBy === null ? sql`TRUE` : sql`j.created_by = ${createdBy}`
}

export function selectJob(workspaceId: string, id: string, createdBy: string | null): Statement<JobRow> {
  return statement(sql`
    SELECT ${JOB_COLUMNS} FROM jobs j
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isCreatedBy(createdBy)}`)
}

/** Where a page of jobs ends. */
export interface JobPosition {
  createdAt: string
  id: string
}

/** Jobs, newest first; one more than asked for, which tells whether there is a next page. */
export function selectJobs(
  workspaceId: string,
  query: { limit: number; after: JobPosition | null; createdBy: string | null },
): Statement<JobRow> {
  const { limit, after, createdBy } = query
  const older =
    after === null
      ? sql`TRUE`
      : sql`(j.created_at, j.id) < (${after.createdAt}::timestamptz, ${after.id}::uuid)`
  return statement(sql`
    SELECT ${JOB_COLUMNS} FROM jobs j
    WHERE j.workspace_id = ${workspaceId} AND ${isCreatedBy(createdBy)} AND ${older}
    ORDER BY j.created_at DESC, j.id DESC LIMIT ${limit + 1}`)
}

/**
 * Records how far a job has come; the first time, that it has begun. Gives no row when the job is over, and
 * never takes progress back, so that a late delivery does no harm.
 */
export function advanceJob(workspaceId: string, id: string, done: number, nowIso: string): Statement<JobRow> {
  return statement(sql`
    UPDATE jobs j SET status = 'running', done = GREATEST(j.done, ${done}::bigint), updated_at = ${nowIso}
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isOpen(nowIso)}
    RETURNING ${JOB_COLUMNS}`)
}

/** Ends a job well. Gives no row when it was over before. */
export function succeedJob(
  workspaceId: string,
  id: string,
  outcome: { result: unknown; resultUrl: string | null },
  nowIso: string,
): Statement<JobRow> {
  return statement(sql`
    UPDATE jobs j SET status = 'succeeded', done = COALESCE(j.total, j.done),
      result = ${JSON.stringify(outcome.result ?? null)}::jsonb, result_url = ${outcome.resultUrl},
      updated_at = ${nowIso}, expires_at = ${resultExpiry(nowIso)}
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isOpen(nowIso)}
    RETURNING ${JOB_COLUMNS}`)
}

/** Ends a job with a reason that may be shown. Gives no row when it was over before. */
export function failJob(
  workspaceId: string,
  id: string,
  error: { code: ErrorCode; message: string },
  nowIso: string,
): Statement<JobRow> {
  return statement(sql`
    UPDATE jobs j SET status = 'failed', error = ${JSON.stringify(error)}::jsonb,
      updated_at = ${nowIso}, expires_at = ${resultExpiry(nowIso)}
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isOpen(nowIso)}
    RETURNING ${JOB_COLUMNS}`)
}

/** Ends a job because somebody said so. Gives no row when it was over before. */
export function cancelOpenJob(
  workspaceId: string,
  id: string,
  createdBy: string | null,
  nowIso: string,
): Statement<JobRow> {
  return statement(sql`
    UPDATE jobs j SET status = 'cancelled', updated_at = ${nowIso}, expires_at = ${resultExpiry(nowIso)}
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isCreatedBy(createdBy)} AND ${isOpen(nowIso)}
    RETURNING ${JOB_COLUMNS}`)
}

/** Takes a job back that nobody has begun. Gives no row when somebody has. */
export function removeQueuedJob(workspaceId: string, id: string): Statement<{ id: string }> {
  return statement(sql`
    DELETE FROM jobs WHERE workspace_id = ${workspaceId} AND id = ${id} AND status = 'queued' RETURNING id`)
}

export interface JobWork {
  params: Record<string, unknown>
  /** What has been recorded so far. */
  result: unknown
  timezone: string
  /** When it is given up. */
  expiresAt: string
}

/** What an open job still has to do. Gives no row when it is over. */
export function selectJobWork(workspaceId: string, id: string, nowIso: string): Statement<JobWork> {
  return statement(sql`
    SELECT j.params, j.result, w.timezone, j.expires_at AS "expiresAt" FROM jobs j JOIN workspaces w ON w.id = j.workspace_id
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isOpen(nowIso)}`)
}

/** What became of one of a job's items. */
export interface RecordedItem {
  index: number
  /** What is recorded of it so far; `null`: nothing. */
  before: unknown
  outcome: unknown
  /** Whether that is the end of it; it is tried again where it is not. */
  isOver: boolean
}

/**
 * Records what became of one of a job's items, the first time in their order. Gives no row when something else
 * has been recorded of it meanwhile, or the job is over.
 */
export function recordItem(
  workspaceId: string,
  id: string,
  item: RecordedItem,
  nowIso: string,
): Statement<JobRow> {
  const { index, before, outcome, isOver } = item
  return statement(sql`
    UPDATE jobs j SET status = 'running', done = j.done + ${isOver ? 1 : 0}::bigint, updated_at = ${nowIso},
      result = jsonb_set(COALESCE(j.result, '[]'::jsonb), ARRAY[${String(index)}::text],
        ${JSON.stringify(outcome)}::jsonb)
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND ${isOpen(nowIso)}
      AND COALESCE(j.result -> ${index}::int, 'null'::jsonb) = ${JSON.stringify(before)}::jsonb
    RETURNING ${JOB_COLUMNS}`)
}

/** Ends a job whose items are all over; its result is what they came to. */
export function succeedWithItems(workspaceId: string, id: string, nowIso: string): Statement<JobRow> {
  return statement(sql`
    UPDATE jobs j SET status = 'succeeded', updated_at = ${nowIso}, expires_at = ${resultExpiry(nowIso)}
    WHERE j.workspace_id = ${workspaceId} AND j.id = ${id} AND j.done >= j.total AND ${isOpen(nowIso)}
    RETURNING ${JOB_COLUMNS}`)
}
