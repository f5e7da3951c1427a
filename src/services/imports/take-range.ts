import * as z from 'zod'
import { advanceImport, type ImportErrorRow, type ImportRow } from '../../db/queries/imports.ts'
import type { PostReading } from '../../db/queries/ingest/index.ts'
import type { JobRow } from '../../db/queries/jobs.ts'
import { MAX_ACCOUNTS } from '../../domain/account-limit.ts'
import { newId } from '../../lib/ids.ts'
import type { ServiceDeps } from '../context.ts'
import { ingest } from '../ingest/ingest.ts'
import { JobStatus } from '../jobs/index.ts'
import { toTags } from '../sync/readings.ts'
import { type AddressedRow, readRange } from './read-range.ts'
import { resolveAccounts } from './resolve-accounts.ts'

/** A range that is in for good. */
export interface TakenRange {
  /** Where the import stands now. */
  standing: Pick<ImportRow, 'nextOffset' | 'nextLine' | 'nextSkipping' | 'status'>
  /** `null` when the job was over by the time: somebody cancelled it. */
  job: Pick<JobRow, 'id' | 'status' | 'done' | 'total'> | null
  /** Whether the whole file is in. */
  isDone: boolean
}

/** The rows of `advanceImport`, as `ingest` hands them back. */
const Advanced = z.array(
  z.object({
    id: z.string().nullable(),
    status: JobStatus.nullable(),
    done: z.number().nullable(),
    total: z.number().nullable(),
  }),
)

/**
 * Stores the rows of an import's next range and moves it on, in one transaction.
 * @returns `null` when another delivery was faster: then nothing was stored
 */
export async function takeRange(
  deps: ServiceDeps,
  workspaceId: string,
  current: ImportRow,
): Promise<TakenRange | null> {
  const range = await readRange(deps.objects, current)
  const handles = [...new Map(range.rows.map(({ handle }) => [handle.handle, handle])).values()]
  const accountIds = await resolveAccounts(deps, workspaceId, current.platform, handles)
  const nowMs = deps.clock.now()
  const posts: PostReading[] = []
  const roomless: ImportErrorRow[] = []
  for (const addressed of range.rows) {
    const accountId = accountIds.get(addressed.handle.handle)
    if (accountId === undefined) roomless.push(noRoom(addressed))
    else posts.push(toReading(addressed, accountId, current.createdAt, nowMs))
  }
  const distinct = new Set(posts.map((post) => `${post.accountId} ${post.platformPostId}`))

  const { alongside } = await ingest(deps, {
    workspaceId,
    posts,
    guard: { importId: current.id, fromOffset: current.nextOffset },
    alongside: [
      advanceImport(workspaceId, {
        importId: current.id,
        from: current.nextOffset,
        to: range.to,
        superseded: posts.length - distinct.size,
        rejectedRows: range.rejectedRows + roomless.length,
        errors: range.errors.concat(roomless),
        isDone: range.done,
        resultUrl: `/api/v1/imports/${current.id}`,
        nowIso: new Date(nowMs).toISOString(),
      }),
    ],
  })
  const [advanced] = Advanced.parse(alongside[0])
  if (advanced === undefined) return null
  const { id, status, done, total } = advanced
  const job = id === null || status === null || done === null ? null : { id, status, done, total }
  const { offset, line, skipping } = range.to
  return {
    standing: {
      nextOffset: offset,
      nextLine: line,
      nextSkipping: skipping,
      status: job?.status ?? 'cancelled',
    },
    job,
    isDone: range.done,
  }
}

/** A row that stays out because its account would be one too many. */
function noRoom({ row }: AddressedRow): ImportErrorRow {
  return {
    line: row.line,
    column: 'account',
    message: `account would be a new one, and this workspace has the ${MAX_ACCOUNTS.toLocaleString('en-US')} accounts that it can have: remove some that you no longer need, and import this row again.`,
  }
}

/** A row as a reading. One that claims to be from after the import's start was made then, at the latest. */
function toReading({ row }: AddressedRow, accountId: string, startedAt: string, nowMs: number): PostReading {
  const isFromFuture = row.metricsAt !== null && Date.parse(row.metricsAt) > Date.parse(startedAt)
  return {
    id: newId(nowMs),
    accountId,
    platformPostId: row.platformPostId,
    kind: row.kind,
    text: row.text,
    url: row.url,
    postedAt: row.postedAt,
    media: row.media,
    hashtags: toTags(row.hashtags),
    metrics: row.metrics,
    observedAt: isFromFuture ? startedAt : row.metricsAt,
  }
}
