import type { ServiceContext } from '../context.ts'
import { createJob } from '../jobs/index.ts'
import type { Job } from '../jobs/schemas.ts'
import { queueFirstSync } from '../sync/queue.ts'
import { claimForSync } from './manage-accounts.ts'

/** Reads an account ahead of its turn. */
export async function syncAccountNow(ctx: ServiceContext, id: string): Promise<Job> {
  const account = await claimForSync(ctx, id)
  const job = await createJob(ctx, { kind: 'account_sync', params: { accountId: id }, total: 1 })
  await queueFirstSync(ctx, account, job.id)
  return job
}
