import { type AccountRow, selectAccount } from '../../db/queries/accounts.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import { notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'

/** Fetches an account of the workspace, hidden ones included, or throws `not_found`. */
export async function getAccountRow(ctx: ServiceContext, id: string): Promise<AccountRow> {
  if (!isId(id)) throw notFound('account')
  const [[row], [state]] = await ctx.db.inWorkspace(ctx.workspace.id, [
    selectAccount(ctx.workspace.id, id),
    workspaceState(ctx.workspace.id),
  ])
  if (row === undefined) throw notFound('account')
  // Who is told when it was read last may ask for what that has changed.
  ctx.generations.note(ctx.workspace.id, state?.generation ?? 0)
  return row
}
