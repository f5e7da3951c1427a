import type { Statement } from '../../db/client.ts'
import {
  type AccountListQuery,
  type AccountRow,
  accountHistory,
  brandExists,
  hideAccount,
  listAccounts,
  makeDue,
  restoreAccount,
  selectAccount,
  updateAccount,
} from '../../db/queries/accounts.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { AppError, invalidRequest, notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requireScope } from '../scope.ts'
import { presentAccount } from './present.ts'
import type { Account, AccountMetricsPoint, UpdateAccount } from './schemas.ts'

/** Fetches an account of the workspace, hidden ones included, or throws `not_found`. */
export async function getAccountRow(ctx: ServiceContext, id: string): Promise<AccountRow> {
  if (!isId(id)) throw notFound('account')
  const [[row]] = await ctx.db.inWorkspace(ctx.workspace.id, [selectAccount(ctx.workspace.id, id)])
  if (row === undefined) throw notFound('account')
  return row
}

export async function getAccount(ctx: ServiceContext, id: string): Promise<Account> {
  requireScope(ctx.actor, 'read')
  return presentAccount(await getAccountRow(ctx, id), ctx.clock.now())
}

export interface AccountPage {
  items: Account[]
  next: { handle: string; id: string } | null
}

export async function listAccountsPage(
  ctx: ServiceContext,
  query: AccountListQuery & { stale: boolean | null },
): Promise<AccountPage> {
  requireScope(ctx.actor, 'read')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [listAccounts(ctx.workspace.id, query)])
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  const now = ctx.clock.now()
  return {
    items: page
      .map((row) => presentAccount(row, now))
      .filter((account) => query.stale === null || account.freshness.stale === query.stale),
    next:
      rows.length > query.limit && last !== undefined
        ? { handle: last.handle.toLowerCase(), id: last.id }
        : null,
  }
}

/** Days of follower history in one answer: two years. */
const HISTORY_DAYS = 731

export async function getAccountMetrics(ctx: ServiceContext, id: string): Promise<AccountMetricsPoint[]> {
  requireScope(ctx.actor, 'read')
  await getAccountRow(ctx, id)
  const [points] = await ctx.db.inWorkspace(ctx.workspace.id, [
    accountHistory(ctx.workspace.id, id, ctx.workspace.timezone, HISTORY_DAYS),
  ])
  return points
}

/** Runs a change that others can see: under the lock, with the generation raised and listeners told. */
async function change(
  ctx: ServiceContext,
  id: string,
  statement: (nowIso: string) => Statement<AccountRow>,
): Promise<AccountRow | null> {
  const workspaceId = ctx.workspace.id
  const [, [row], , pending] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    statement(new Date(ctx.clock.now()).toISOString()),
    raiseGeneration(workspaceId, [
      { type: 'metrics.updated', data: { accounts: [{ id, delta: {} }], posts: [] } },
    ]),
    undeliveredEvents(workspaceId),
  ])
  await deliverEvents(ctx, workspaceId, pending)
  return row ?? null
}

export async function changeAccount(ctx: ServiceContext, id: string, input: UpdateAccount): Promise<Account> {
  requireScope(ctx.actor, 'write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt !== null) throw notFound('account')
  if (input.status !== undefined && row.status === 'imported')
    throw new AppError(
      'conflict',
      'An imported account is not synced, so it can neither be paused nor resumed.',
    )
  if (input.brandId != null) {
    const [brands] = await ctx.db.inWorkspace(ctx.workspace.id, [
      brandExists(ctx.workspace.id, input.brandId),
    ])
    if (brands.length === 0)
      throw invalidRequest([{ pointer: '/brandId', detail: 'There is no such brand.' }])
  }
  const changed = await change(ctx, id, (nowIso) => updateAccount(ctx.workspace.id, id, input, nowIso))
  if (changed === null) throw notFound('account')
  return presentAccount(changed, ctx.clock.now())
}

/** Hides an account at once, from every figure; it can be brought back for 30 days. */
export async function removeAccount(ctx: ServiceContext, id: string): Promise<void> {
  requireScope(ctx.actor, 'write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt !== null) return
  await change(ctx, id, (nowIso) => hideAccount(ctx.workspace.id, id, nowIso))
}

/** @throws gone when the account was hidden too long ago; conflict when it is connected again meanwhile */
export async function bringBackAccount(ctx: ServiceContext, id: string): Promise<Account> {
  requireScope(ctx.actor, 'write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt === null) return presentAccount(row, ctx.clock.now())
  const restored = await change(ctx, id, (nowIso) => restoreAccount(ctx.workspace.id, id, nowIso)).catch(
    (error: unknown) => {
      if (error instanceof Error && 'sqlState' in error && error.sqlState === '23505')
        throw new AppError('conflict', 'This account has been connected again since; remove that one first.')
      throw error
    },
  )
  if (restored === null) throw new AppError('gone', 'This account was removed more than 30 days ago.')
  return presentAccount(restored, ctx.clock.now())
}

/** @throws conflict for an account that is not being synced */
export async function makeAccountDue(ctx: ServiceContext, id: string): Promise<AccountRow> {
  requireScope(ctx.actor, 'write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt !== null) throw notFound('account')
  const [[due]] = await ctx.db.inWorkspace(ctx.workspace.id, [
    makeDue(ctx.workspace.id, id, new Date(ctx.clock.now()).toISOString()),
  ])
  if (due === undefined)
    throw new AppError(
      'conflict',
      `This account is ${row.status} and cannot be synced${row.statusReason ? `: ${row.statusReason}` : '.'}`,
    )
  return due
}
