import { z } from 'zod'
import { recordItem, selectJobWork, succeedWithItems } from '../../db/queries/jobs.ts'
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
  status: 'connected' | 'failed'
  accountId: string | null
  error: { code: string; message: string } | null
}

/** A delivery has to end in its time; what is left is queued again. */
const BUDGET_MS = 15_000

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
  const job = await createJob(ctx, { kind: 'account_batch', params, total: accounts.length })
  await ctx.queue.publish([messageOf({ workspaceId: ctx.workspace.id, jobId: job.id })])
  return job
}

/**
 * Takes a batch on from where it stands. An account that an earlier, broken delivery has connected already
 * counts as connected. A platform that asks to wait is waited for.
 */
export async function processConnectBatch(deps: ServiceDeps, message: ConnectBatchMessage): Promise<void> {
  const { workspaceId, jobId } = message
  const deadline = deps.clock.now() + BUDGET_MS
  while (deps.clock.now() < deadline) {
    const nowIso = new Date(deps.clock.now()).toISOString()
    const [[work]] = await deps.db.inWorkspace(workspaceId, [selectJobWork(workspaceId, jobId, nowIso)])
    if (work === undefined) return
    const params = BatchParams.parse(work.params)
    const item = params.accounts[work.done]
    if (item === undefined) {
      const [[ended]] = await deps.db.inWorkspace(workspaceId, [succeedWithItems(workspaceId, jobId, nowIso)])
      if (ended !== undefined) await announceJob(deps, workspaceId, ended)
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
    const outcome = await connectOne(ctx, item)
    if ('waitMs' in outcome) {
      await deps.queue.publish([messageOf(message, Math.ceil(outcome.waitMs / 1_000))])
      return
    }
    const [[row]] = await deps.db.inWorkspace(workspaceId, [
      recordItem(workspaceId, jobId, { index: work.done, outcome }, nowIso),
    ])
    // Without a row another delivery is at work on this job.
    if (row === undefined) return
    await announceJob(deps, workspaceId, row)
  }
  await deps.queue.publish([messageOf(message)])
}

async function connectOne(
  ctx: ServiceContext,
  item: ConnectAccounts['accounts'][number],
): Promise<ItemOutcome | { waitMs: number }> {
  const { platform, handle } = item
  try {
    const account = await connectOnBehalf(ctx, item)
    return { platform, handle, status: 'connected', accountId: account.id, error: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'platform_rate_limited') return { waitMs: error.retryAfterMs ?? 30_000 }
    if (error.code === 'unavailable') throw error
    const connected = error.code === 'already_connected'
    return {
      platform,
      handle,
      status: connected ? 'connected' : 'failed',
      accountId: error.existingId ?? null,
      error: connected ? null : { code: error.code, message: error.message },
    }
  }
}
