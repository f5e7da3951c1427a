import { sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'
import { liveAccounts } from './accounts.ts'
import { INGEST_COUNTS_SETTING } from './ingest/posts.ts'
import { isCreatedBy, isOpen, type JobRow, resultExpiry } from './jobs.ts'

export type ImportFormat = 'csv' | 'ndjson'

/** How many of an import's errors are kept; all are counted. */
export const MAX_STORED_ERRORS = 1_000

export interface NewImport {
  /** The job's. */
  id: string
  platform: Platform
  /** The account of rows that name none. */
  handle: string | null
  format: ImportFormat
  objectKey: string
  sizeBytes: number
  /** CSV: the header's names. */
  columns: readonly string[] | null
  /** Where the first record begins. */
  nextOffset: number
  nextLine: number
  createdAtIso: string
}

export function insertImport(workspaceId: string, i: NewImport): Statement<never> {
  const columns = i.columns === null ? null : JSON.stringify(i.columns)
  return statement(sql`
    INSERT INTO imports (id, workspace_id, platform, handle, format, object_key, size_bytes, columns, next_offset,
      next_line, created_at)
    VALUES (${i.id}, ${workspaceId}, ${i.platform}, ${i.handle}, ${i.format}, ${i.objectKey}, ${i.sizeBytes},
      ${columns}::jsonb, ${i.nextOffset}, ${i.nextLine}, ${i.createdAtIso})`)
}

export interface ImportCounts {
  inserted: number
  updated: number
  unchanged: number
  rejected: number
}

export interface ImportRow extends ImportCounts {
  id: string
  platform: Platform
  handle: string | null
  format: ImportFormat
  objectKey: string
  sizeBytes: number
  columns: string[] | null
  nextOffset: number
  nextLine: number
  nextSkipping: boolean
  createdAt: string
  /** The job's. */
  status: JobRow['status']
  expiresAt: string
}

export function selectImport(
  workspaceId: string,
  id: string,
  createdBy: string | null,
): Statement<ImportRow> {
  return statement(sql`
    SELECT i.id, i.platform, i.handle, i.format, i.object_key AS "objectKey", i.size_bytes AS "sizeBytes", i.columns,
      i.next_offset AS "nextOffset", i.next_line AS "nextLine", i.next_skipping AS "nextSkipping",
      i.inserted, i.updated, i.unchanged, i.rejected, i.created_at AS "createdAt",
      j.status, j.expires_at AS "expiresAt"
    FROM imports i JOIN jobs j ON j.id = i.id
    WHERE i.workspace_id = ${workspaceId} AND i.id = ${id} AND ${isCreatedBy(createdBy)}`)
}

export interface ImportErrorRow {
  line: number
  column: string | null
  message: string
}

export function selectImportErrors(workspaceId: string, id: string): Statement<ImportErrorRow> {
  return statement(sql`
    SELECT line, "column", message FROM import_errors
    WHERE workspace_id = ${workspaceId} AND import_id = ${id}
    ORDER BY line, ordinal LIMIT ${MAX_STORED_ERRORS}`)
}

export interface ImportAdvance {
  importId: string
  from: number
  to: { offset: number; line: number; skipping: boolean }
  /** Rows that another row of the range made void: accepted, and without effect of their own. */
  superseded: number
  rejectedRows: number
  errors: readonly ImportErrorRow[]
  /** With this range the whole file is in. */
  isDone: boolean
  /** What a finished job points to. */
  resultUrl: string
  nowIso: string
}

/** The job of an import that moved; all `null` when the job was over. */
export type AdvancedJob = { [K in 'id' | 'status' | 'done']: JobRow[K] | null } & Pick<JobRow, 'total'>

/**
 * Moves an import on past a range, after the statement that took the range in and in its transaction: adds
 * what that one counted, keeps the errors, and brings the job along, to its end with the last range. Gives no
 * row when the import does not stand at `from`, and a row without a job when that is over (cancelled).
 */
export function advanceImport(workspaceId: string, a: ImportAdvance): Statement<AdvancedJob> {
  const errors = JSON.stringify(a.errors.map((error, ordinal) => ({ ...error, ordinal })))
  return statement(sql`
    WITH counted AS (
      SELECT NULLIF(current_setting(${INGEST_COUNTS_SETTING}, TRUE), '')::jsonb AS counts
    ),
    moved AS (
      UPDATE imports i SET
        next_offset = ${a.to.offset}::bigint, next_line = ${a.to.line}::int,
        next_skipping = ${a.to.skipping}::boolean,
        inserted = i.inserted + (counts->>'inserted')::int,
        updated = i.updated + (counts->>'updated')::int,
        unchanged = i.unchanged + (counts->>'unchanged')::int + ${a.superseded}::int,
        rejected = i.rejected + ${a.rejectedRows}::int
      FROM counted
      WHERE i.workspace_id = ${workspaceId} AND i.id = ${a.importId} AND i.next_offset = ${a.from}::bigint
      RETURNING i.id, i.inserted, i.updated, i.unchanged, i.rejected
    ),
    kept AS (
      INSERT INTO import_errors (workspace_id, import_id, line, ordinal, "column", message)
      SELECT ${workspaceId}::uuid, moved.id, e.line, e.ordinal, e."column", e.message
      FROM moved, jsonb_to_recordset(${errors}::jsonb) AS e (line int, ordinal int, "column" text, message text)
      ORDER BY e.ordinal
      LIMIT GREATEST(0, ${MAX_STORED_ERRORS} - (SELECT COUNT(*) FROM import_errors WHERE import_id = ${a.importId}))
      ON CONFLICT DO NOTHING
    ),
    job AS (
      UPDATE jobs j SET
        status = CASE WHEN ${a.isDone}::boolean THEN 'succeeded' ELSE 'running' END,
        done = ${a.to.offset}::bigint, updated_at = ${a.nowIso}::timestamptz,
        result = CASE WHEN ${a.isDone}::boolean THEN jsonb_build_object(
          'accepted', moved.inserted + moved.updated + moved.unchanged, 'inserted', moved.inserted,
          'updated', moved.updated, 'unchanged', moved.unchanged, 'rejected', moved.rejected) END,
        result_url = CASE WHEN ${a.isDone}::boolean THEN ${a.resultUrl} END,
        expires_at = CASE WHEN ${a.isDone}::boolean THEN ${resultExpiry(a.nowIso)} ELSE j.expires_at END
      FROM moved WHERE j.id = moved.id AND ${isOpen(a.nowIso)}
      RETURNING j.id, j.status, j.done, j.total
    )
    SELECT job.id, job.status, job.done, job.total FROM moved LEFT JOIN job ON TRUE`)
}

/** A handle of a file: as written, and folded so that it equals those that differ in case alone. */
export interface ImportHandle {
  handle: string
  folded: string
}

/** `external_id` of an account that is known from files alone. */
const IMPORTED = sql.raw(`'import:' || h.folded`)

/** Live accounts behind handles, of whichever source; of several for one handle, the oldest, so that it stays. */
function candidates(workspaceId: string, platform: Platform) {
  const live = sql`a.workspace_id = ${workspaceId} AND a.platform = ${platform} AND a.deleted_at IS NULL`
  // Three joins on equality rather than one on OR, which Postgres could only do row by row.
  return sql`
    SELECT h.handle, a.id, a.created_at FROM h JOIN accounts a ON a.external_id = ${IMPORTED} WHERE ${live}
    UNION ALL
    SELECT h.handle, a.id, a.created_at FROM h JOIN accounts a ON lower(a.handle) = h.folded WHERE ${live}
    UNION ALL
    SELECT h.handle, a.id, a.created_at FROM h JOIN accounts a ON lower(a.handle) = lower(h.handle) WHERE ${live}`
}

/** The live account behind each handle that has one. */
export function findAccountsByHandle(
  workspaceId: string,
  platform: Platform,
  handles: readonly ImportHandle[],
): Statement<{ handle: string; accountId: string }> {
  return statement(sql`
    WITH h AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(handles)}::jsonb) AS h (handle text, folded text)
    )
    SELECT DISTINCT ON (c.handle) c.handle, c.id AS "accountId"
    FROM (${candidates(workspaceId, platform)}) c
    ORDER BY c.handle, c.created_at, c.id`)
}

/**
 * Makes the accounts behind handles that have none, the first of them where there is not room for all; no two of
 * `handles` are one. Runs under the workspace's lock, as connecting an account does, so that two at once do not
 * make two.
 * @param mostLive how many accounts the workspace may have then
 */
export function insertImportedAccounts(
  workspaceId: string,
  platform: Platform,
  handles: readonly (ImportHandle & { id: string })[],
  { mostLive, nowIso }: { mostLive: number; nowIso: string },
): Statement<{ id: string }> {
  return statement(sql`
    WITH h AS (
      SELECT * FROM ROWS FROM (
        jsonb_to_recordset(${JSON.stringify(handles)}::jsonb) AS (id uuid, handle text, folded text)
      ) WITH ORDINALITY AS h (id, handle, folded, ordinal)
    ),
    known AS (${candidates(workspaceId, platform)})
    INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, created_at)
    SELECT h.id, ${workspaceId}::uuid, ${platform}, ${IMPORTED}, h.handle, 'import', 'imported',
      ${nowIso}::timestamptz
    FROM h WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.handle = h.handle)
    ORDER BY h.ordinal LIMIT GREATEST(0, ${mostLive}::bigint - ${liveAccounts(workspaceId)})
    RETURNING id`)
}
