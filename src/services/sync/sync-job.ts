import { failJob, succeedJob } from '../../db/queries/jobs.ts'
import { AppError } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { PlatformError } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { announceJob } from '../jobs/announce.ts'
import { toAppError } from '../platform-errors.ts'
import type { SyncAccountsMessage } from './messages.ts'

/** Where an account that was synced is found. */
const accountUrl = (id: string) => `/api/v1/accounts/${id}`

/**
 * Reports a sync that a person asked for to its job: it has succeeded or, with the platform's reason, failed.
 * A job that is over already (cancelled, or told of before) is left as it is.
 */
export async function finishSyncJob(
  deps: ServiceDeps,
  message: SyncAccountsMessage,
  error: PlatformError | null,
): Promise<void> {
  const [account] = message.accounts
  const { jobId } = message
  if (account === undefined || jobId === null || !isId(jobId)) return
  const { workspaceId } = account
  const nowIso = new Date(deps.clock.now()).toISOString()
  const [[ended]] = await deps.db.inWorkspace(workspaceId, [
    error === null
      ? succeedJob(workspaceId, jobId, { result: null, resultUrl: accountUrl(account.id) }, nowIso)
      : failJob(workspaceId, jobId, shown(error), nowIso),
  ])
  if (ended !== undefined) await announceJob(deps, workspaceId, ended)
}

function shown(error: PlatformError): Pick<AppError, 'code' | 'message'> {
  const translated = toAppError(error)
  if (!(translated instanceof AppError))
    return { code: 'internal', message: 'The account could not be read.' }
  return { code: translated.code, message: translated.message }
}
