import * as z from 'zod'
import { type JobWork, recordItem, selectJobWork, succeedWithItems } from '../../db/queries/jobs.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import { dbWithinReach } from '../access/reach.ts'
import type { ServiceContext, ServiceDeps } from '../context.ts'
import { announceJob, createJob } from '../jobs/index.ts'
import type { Job } from '../jobs/schemas.ts'
import { requirePermission } from '../permissions.ts'
import { brandBeyondReach } from './brand-reach.ts'
import { connectOnBehalf } from './connect-account.ts'
import { ConnectAccounts } from './schemas.ts'
import { nameOnly, StartedBy, startedBy } from './started-by.ts'

export const ConnectBatchMessage = z.object({ workspaceId: z.string(), jobId: z.string() })
export type ConnectBatchMessage = z.infer<typeof ConnectBatchMessage>

/** What a job keeps; those of before it kept who began them were begun by nobody in particular. */
const BatchParams = ConnectAccounts.extend({ startedBy: StartedBy.default({ kind: 'system' }) })

/** What became of one account of a batch. */
interface ItemOutcome {
  platform: string
  handle: string
  /** `waiting`: its platform could not say yet, and is asked again. */
  status: 'connected' | 'failed' | 'waiting'
  accountId: string | null
  error: { code: string; message: string } | null
  /** How often its platform was asked in vain; missing once it is over. */
  attempts?: number
  /** When it is asked again; missing once it is over. */
  nextTryAt?: string
}

/** What is asked of an account that has been tried before. */
const Tried = z.object({ status: z.string(), attempts: z.int().default(0), nextTryAt: z.string().optional() })
const TriedItems = z.array(z.unknown()).nullable()

/** An account of a batch that is to be tried. */
interface Turn {
  index: number
  item: ConnectAccounts['accounts'][number]
  /** What is recorded of it so far; `null`: it was never tried. */
  before: unknown
  attempts: number
  /** Milliseconds since 1970; not before. */
  atMs: number
}

/** Long enough for a quota that is renewed once a day. */
const OPEN_SECONDS = 48 * 3_600
/** A delivery has to end in its time; what is left is queued again. */
const BUDGET_MS = 15_000
/** The first failure that passes is tried again after up to this, every further one in a row twice as late. */
const BACK_OFF_MS = 60_000
const MOST_BACK_OFF_MS = 900_000
/** Whoever could not be asked by the end of the job, less this, has failed: the others' outcomes must not expire. */
const LAST_TRY_BEFORE_END_MS = 600_000

function messageOf(body: ConnectBatchMessage, delaySeconds?: number) {
  return { topic: 'accounts/connect', body, ...(delaySeconds === undefined ? {} : { delaySeconds }) }
}

/**
 * Connects many accounts in the background; the job's result has an entry for each. Whether whoever asks may is
 * decided now, and the job acts in their name.
 */
export async function connectBatch(ctx: ServiceContext, input: ConnectAccounts): Promise<Job> {
  requirePermission(ctx.actor, 'accounts.write')
  const { accounts } = input
  const beyondReach = accounts.flatMap(
    ({ brandId }, i) => brandBeyondReach(ctx.actor, brandId, `/accounts/${i}/brandId`) ?? [],
  )
  if (beyondReach.length > 0) throw invalidRequest(beyondReach)
  const params = { accounts, startedBy: startedBy(ctx.actor) }
  const job = await createJob(ctx, {
    kind: 'account_batch',
    params,
    total: accounts.length,
    expiresInSeconds: OPEN_SECONDS,
  })
  await ctx.queue.publish([messageOf({ workspaceId: ctx.workspace.id, jobId: job.id })])
  return job
}

/**
 * Takes a batch on from where it stands. An account that an earlier, broken delivery has connected already
 * counts as connected. One whose platform does not answer, or asks to wait, is tried again later and holds up
 * none of the others.
 */
export async function processConnectBatch(deps: ServiceDeps, message: ConnectBatchMessage): Promise<void> {
  const { workspaceId, jobId } = message
  const deadline = deps.clock.now() + BUDGET_MS
  while (deps.clock.now() < deadline) {
    const nowIso = new Date(deps.clock.now()).toISOString()
    const [[work]] = await deps.db.inWorkspace(workspaceId, [selectJobWork(workspaceId, jobId, nowIso)])
    if (work === undefined) return
    const params = BatchParams.parse(work.params)
    const turn = nextTurn(params.accounts, work)
    if (turn === null) {
      const [[ended]] = await deps.db.inWorkspace(workspaceId, [succeedWithItems(workspaceId, jobId, nowIso)])
      if (ended !== undefined) await announceJob(deps, workspaceId, ended)
      return
    }
    const waitMs = turn.atMs - deps.clock.now()
    if (waitMs > 0) {
      await deps.queue.publish([messageOf(message, Math.ceil(waitMs / 1_000))])
      return
    }
    const actor = nameOnly(params.startedBy)
    const ctx: ServiceContext = {
      ...deps,
      db: dbWithinReach(deps.db, actor),
      workspace: { id: workspaceId, timezone: work.timezone },
      actor,
      origin: { ip: null, userAgent: null },
      requestId: jobId,
    }
    const outcome = await connectOne(ctx, turn, Date.parse(work.expiresAt) - LAST_TRY_BEFORE_END_MS)
    const { index, before } = turn
    const isOver = outcome.status !== 'waiting'
    const [[row]] = await deps.db.inWorkspace(workspaceId, [
      recordItem(workspaceId, jobId, { index, before, outcome, isOver }, nowIso),
    ])
    // Without a row another delivery is at work on this job.
    if (row === undefined) return
    await announceJob(deps, workspaceId, row)
  }
  await deps.queue.publish([messageOf(message)])
}

/** Whose turn it is: those that were never tried in their order, then whoever waits for the shortest. */
function nextTurn(accounts: ConnectAccounts['accounts'], { result }: JobWork): Turn | null {
  const recorded = TriedItems.parse(result) ?? []
  const untried = accounts[recorded.length]
  if (untried !== undefined)
    return { index: recorded.length, item: untried, before: null, attempts: 0, atMs: 0 }
  const waiting = recorded.flatMap((before, index): Turn[] => {
    const { status, attempts, nextTryAt } = Tried.parse(before)
    const item = accounts[index]
    if (status !== 'waiting' || item === undefined) return []
    return [{ index, item, before, attempts, atMs: nextTryAt === undefined ? 0 : Date.parse(nextTryAt) }]
  })
  return waiting.reduce<Turn | null>(
    (first, turn) => (first === null || turn.atMs < first.atMs ? turn : first),
    null,
  )
}

/** @param untilMs milliseconds since 1970; what would be tried again later than that has failed */
async function connectOne(
  ctx: ServiceContext,
  { item, attempts }: Turn,
  untilMs: number,
): Promise<ItemOutcome> {
  const { platform, handle } = item
  try {
    const account = await connectOnBehalf(ctx, item)
    return { platform, handle, status: 'connected', accountId: account.id, error: null }
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'unavailable') throw error
    const { code, message } = error
    const nextTryMs = ctx.clock.now() + waitMsAfter(error, attempts)
    if (isPassing(error) && nextTryMs < untilMs)
      return {
        ...{ platform, handle, status: 'waiting', accountId: null },
        error: { code, message: `Waiting for the platform: ${message}` },
        attempts: attempts + 1,
        nextTryAt: new Date(nextTryMs).toISOString(),
      }
    const connected = code === 'already_connected'
    return {
      platform,
      handle,
      status: connected ? 'connected' : 'failed',
      accountId: error.existingId ?? null,
      error: connected ? null : { code, message },
    }
  }
}

/** Whether the platform has not said anything yet of the account. */
function isPassing({ code, retryable }: AppError): boolean {
  return retryable || code === 'platform_bad_answer'
}

/** Drawn from a range that doubles with every attempt, after what the platform asked for. */
function waitMsAfter({ retryAfterMs = 0 }: AppError, attempts: number): number {
  const rangeMs = Math.min(MOST_BACK_OFF_MS, BACK_OFF_MS * 2 ** Math.min(attempts, 10))
  return retryAfterMs + rangeMs * (0.5 + Math.random() / 2)
}
