import type { Statement } from '../../db/client.ts'
import { countAccounts, seeEveryAccount, unlessMoreThan } from '../../db/queries/accounts.ts'
import { MAX_ACCOUNTS } from '../../domain/account-limit.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'

type LimitContext = Pick<ServiceContext, 'db' | 'workspace'>

/** Ends a transaction under the workspace's lock that brings accounts to life: `wasOvertaken` by too many of them. */
export function withinAccountLimit(workspaceId: string): Statement<never>[] {
  return unlessMoreThan(workspaceId, MAX_ACCOUNTS)
}

/** How many accounts a workspace has, whatever the actor sees of them. */
export async function countLiveAccounts({ db, workspace }: LimitContext): Promise<number> {
  const [, [row]] = await db.inWorkspace(workspace.id, [seeEveryAccount(), countAccounts(workspace.id)])
  return row?.live ?? 0
}

/** Why no further accounts can be connected. */
export function tooManyAccounts(live: number): AppError {
  return new AppError(
    'conflict',
    `This workspace has ${shown(live)} accounts, and can have ${shown(MAX_ACCOUNTS)} at most: remove some that you no longer need, or use another workspace.`,
  )
}

const shown = (count: number) => count.toLocaleString('en-US')
