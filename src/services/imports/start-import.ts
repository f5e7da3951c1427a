import { type ImportFormat, insertImport, type NewImport } from '../../db/queries/imports.ts'
import { insertJob, type JobRow, type NewJob, removeQueuedJob } from '../../db/queries/jobs.ts'
import { MAX_HEADER_BYTES, readHeader } from '../../domain/imports/index.ts'
import type { Platform } from '../../domain/platforms.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { announceJob, draftJob, getJobRow, type Job, presentJob } from '../jobs/index.ts'
import { requirePermission } from '../permissions.ts'
import { discardObject } from './discard-object.ts'
import { normaliseHandle } from './handles.ts'
import { processImportMessage } from './messages.ts'
import { countUpload, emptyFile, MAX_IMPORT_BYTES } from './upload.ts'

export interface StartImport {
  platform: Platform
  /** The account of rows that name none; `null` when every row names its own. */
  handle: string | null
  format: ImportFormat
  body: ReadableStream<Uint8Array>
}

/**
 * Stores a file of posts and queues its import. The file comes first, so that nothing is lost by a crash
 * later on; where it is not fit to be imported at all, nothing is left of it.
 *
 * @throws payload_too_large beyond 100 MB; invalid_request for an empty file, a CSV header that names not
 *   what it has to, or a handle that is none; unavailable when it cannot be stored or queued
 */
export async function startImport(ctx: ServiceContext, input: StartImport): Promise<Job> {
  requirePermission(ctx.actor, 'imports.write')
  const handle = input.handle === null ? null : requireHandle(input.handle)
  const workspaceId = ctx.workspace.id
  const draft = draftJob(ctx, {
    kind: 'import',
    params: { platform: input.platform, handle, format: input.format },
  })
  const { id, createdAtIso } = draft
  const objectKey = `imports/${workspaceId}/${id}`
  let job: JobRow
  let beginning: Beginning
  try {
    const sizeBytes = await storeBody(ctx, objectKey, input)
    beginning = input.format === 'csv' ? await readStoredHeader(ctx, objectKey, handle) : NO_HEADER
    const { platform, format } = input
    const file = { id, platform, handle, format, objectKey, sizeBytes, createdAtIso, ...beginning }
    job = await record(ctx, { ...draft, total: sizeBytes }, file)
  } catch (error) {
    await discardObject(ctx, objectKey)
    throw error
  }
  try {
    await ctx.queue.publish([
      processImportMessage({ workspaceId, importId: id, offset: beginning.nextOffset }),
    ])
  } catch (error) {
    // Where somebody has begun it, the message went out all the same.
    if (!(await takeBack(ctx, id))) return presentJob(await getJobRow(ctx, id), ctx.clock.now())
    await discardObject(ctx, objectKey)
    throw new AppError('unavailable', 'The import cannot be queued at the moment; nothing of it was kept.', {
      cause: error,
    })
  }
  await announceJob(ctx, workspaceId, job)
  return presentJob(job, ctx.clock.now())
}

function requireHandle(text: string): string {
  const named = normaliseHandle(text)
  if (named !== null) return named.handle
  throw invalidRequest([{ pointer: '/query/handle', detail: 'This is not a handle.' }])
}

/** @returns the body's length in bytes */
async function storeBody(ctx: ServiceContext, objectKey: string, input: StartImport): Promise<number> {
  const upload = countUpload(input.body, MAX_IMPORT_BYTES)
  try {
    await ctx.objects.put(objectKey, upload.stream)
  } catch (error) {
    throw (
      upload.failure ??
      new AppError('unavailable', 'The file cannot be stored at the moment.', { cause: error })
    )
  }
  if (upload.failure !== null) throw upload.failure
  if (upload.size === 0) throw emptyFile(input.format)
  return upload.size
}

type Beginning = Pick<NewImport, 'columns' | 'nextOffset' | 'nextLine'>

const NO_HEADER: Beginning = { columns: null, nextOffset: 0, nextLine: 1 }

async function readStoredHeader(
  ctx: ServiceContext,
  objectKey: string,
  handle: string | null,
): Promise<Beginning> {
  // Twice the longest header: blank lines may stand before it.
  const beginning = await ctx.objects.getRange(objectKey, 0, 2 * MAX_HEADER_BYTES)
  if (beginning === null) throw new AppError('unavailable', 'The file cannot be read back at the moment.')
  const header = readHeader(beginning)
  if (handle === null && !header.columns.includes('account'))
    throw invalidRequest(
      [{ pointer: '/query/handle', detail: 'Is required, because the file has no column "account".' }],
      'The import names no account.',
    )
  return {
    // The one character that Postgres cannot keep; only names that imports ignore can hold it.
    columns: header.columns.map((name) => name.replaceAll('\0', '\ufffd')),
    nextOffset: header.nextOffset,
    nextLine: header.line,
  }
}

async function record(ctx: ServiceContext, job: NewJob, file: NewImport): Promise<JobRow> {
  const workspaceId = ctx.workspace.id
  try {
    const [[row]] = await ctx.db.inWorkspace(workspaceId, [
      insertJob(workspaceId, job),
      insertImport(workspaceId, file),
    ])
    if (row === undefined) throw new AppError('internal', 'The job was not stored.')
    return row
  } catch (error) {
    // The answer may have been lost after the rows were stored.
    await takeBack(ctx, job.id).catch(() => {})
    throw error
  }
}

/** Removes a job that nobody has begun, and its import; answers whether it could. */
async function takeBack(ctx: ServiceContext, id: string): Promise<boolean> {
  const [removed] = await ctx.db.inWorkspace(ctx.workspace.id, [removeQueuedJob(ctx.workspace.id, id)])
  return removed.length > 0
}
