import { Hono } from 'hono'
import type * as z from 'zod'
import { invalidRequest } from '../errors.ts'
import { readAtMost } from '../lib/read-body.ts'
import { ConnectBatchMessage, processConnectBatch } from '../services/accounts/connect-batch.ts'
import type { ServiceDeps } from '../services/context.ts'
import { refreshExpiringCredentials } from '../services/credentials/refresh-expiring.ts'
import { planTrending, refreshPublicTrending, refreshTrending } from '../services/hashtags/index.ts'
import { RefreshTrendingMessage } from '../services/hashtags/messages.ts'
import { processImport } from '../services/imports/index.ts'
import { ProcessImportMessage } from '../services/imports/messages.ts'
import { PlanReconciliationMessage, ReconcileWorkspaceMessage } from '../services/reconcile/messages.ts'
import { planReconciliation } from '../services/reconcile/plan-reconciliation.ts'
import { reconcileWorkspace } from '../services/reconcile/reconcile-workspace.ts'
import { backfill } from '../services/sync/backfill.ts'
import {
  BackfillMessage,
  PlanMessage,
  RefreshPostsMessage,
  SyncAccountsMessage,
} from '../services/sync/messages.ts'
import { planSync } from '../services/sync/plan.ts'
import { refreshPosts } from '../services/sync/refresh-posts.ts'
import { sweepOutbox } from '../services/sync/sweep-outbox.ts'
import { syncAccounts } from '../services/sync/sync-accounts.ts'
import { dailyUpkeep } from '../services/sync/upkeep.ts'
import { verdictOf } from './verdict.ts'

/** Whether a call comes from our queue: its signature covers the address and the body. */
export type VerifySignature = (call: { signature: string; url: string; body: string }) => Promise<boolean>

export interface JobDeps {
  services: ServiceDeps
  verify: VerifySignature
  /** Asks all dependencies how they are, and opens or closes their breakers by it. Never rejects. */
  probe(): Promise<void>
  /** The deployment's own addresses, one of which a signature names. */
  origins: readonly string[]
}

type JobEnv = { Variables: { jobs: JobDeps } }

/** The queue sends at most this. */
const MAX_BODY_BYTES = 1_200_000

function take<T extends z.ZodType>(
  schema: T,
  run: (deps: ServiceDeps, message: z.infer<T>) => Promise<unknown>,
) {
  return { schema, run }
}
function call(run: (deps: ServiceDeps) => Promise<unknown>) {
  return { schema: null, run }
}

/** Every callback: what its message looks like, and the one service verb that it calls. */
const CALLBACKS = {
  '/sync/plan': take(PlanMessage, planSync),
  '/sync/accounts': take(SyncAccountsMessage, syncAccounts),
  '/sync/posts': take(RefreshPostsMessage, refreshPosts),
  '/sync/backfill': take(BackfillMessage, backfill),
  '/accounts/connect': take(ConnectBatchMessage, processConnectBatch),
  '/imports/process': take(ProcessImportMessage, processImport),
  '/trending/plan': call(planTrending),
  '/trending/refresh': take(RefreshTrendingMessage, (deps, { workspaceId }) =>
    refreshTrending(deps, workspaceId),
  ),
  '/trending/refresh-public': call(refreshPublicTrending),
  '/reconcile/plan': take(PlanReconciliationMessage, planReconciliation),
  '/reconcile/workspace': take(ReconcileWorkspaceMessage, (deps, message) =>
    reconcileWorkspace(deps, message),
  ),
  '/credentials/refresh': call(refreshExpiringCredentials),
  '/outbox/sweep': call(sweepOutbox),
  '/upkeep/daily': call(dailyUpkeep),
}

/**
 * `/callbacks/*`, for the queue alone. A call without a valid signature gets 401 and has no effect; the body
 * is read once, and what was verified is what is parsed.
 */
export const callbackRoutes = new Hono<JobEnv>().post('*', async (c) => {
  const { services, probe } = c.var.jobs
  const path = new URL(c.req.url).pathname
  const signature = c.req.header('upstash-signature') ?? ''
  const body = signature === '' ? null : await (await readAtMost(c.req.raw.body, MAX_BODY_BYTES))?.text()
  if (body == null || !(await isSigned(c.var.jobs, { signature, path, body })))
    return c.json({ code: 'unauthorized', detail: 'This call is not signed by the queue.' }, 401)

  const messageId = c.req.header('upstash-message-id') ?? null
  const log = services.log.with({
    callback: path,
    messageId,
    retried: c.req.header('upstash-retried') ?? null,
  })
  const callback = CALLBACKS[path.replace(/^\/callbacks/, '') as keyof typeof CALLBACKS] as
    | (typeof CALLBACKS)[keyof typeof CALLBACKS]
    | undefined
  const startedAt = services.clock.now()
  try {
    if (callback === undefined) throw invalidRequest([], `There is no callback ${path}.`)
    // The one call that comes also where nobody else does; what it finds mended, it need not wait a minute for.
    if (callback === CALLBACKS['/sync/plan']) await probe()
    const result = await dispatch(callback, { ...services, log }, body)
    log.info('callback', { ms: services.clock.now() - startedAt, result })
    return c.json({ ok: true })
  } catch (error) {
    log.warn('callback failed', { ms: services.clock.now() - startedAt, error })
    return verdictOf(error)
  }
})

/**
 * Whether the queue signed this call, for whichever of the deployment's addresses: a message goes to the one that
 * was right when it was published.
 */
async function isSigned(
  { origins, verify }: JobDeps,
  { signature, path, body }: { signature: string; path: string; body: string },
): Promise<boolean> {
  for (const origin of origins) if (await verify({ signature, url: `${origin}${path}`, body })) return true
  return false
}

async function dispatch(
  callback: { schema: z.ZodType | null; run: (deps: ServiceDeps, message: never) => Promise<unknown> },
  deps: ServiceDeps,
  body: string,
): Promise<unknown> {
  if (callback.schema === null) return callback.run(deps, undefined as never)
  const message = callback.schema.safeParse(parseJson(body))
  if (!message.success)
    throw invalidRequest([], 'The message does not have the shape that this callback takes.')
  return callback.run(deps, message.data as never)
}

/** A schedule may send no body at all. */
function parseJson(body: string): unknown {
  if (body.trim() === '') return {}
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
