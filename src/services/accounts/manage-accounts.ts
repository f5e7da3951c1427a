import type { Statement } from '../../db/client.ts'
import { wasOvertaken } from '../../db/queries/access.ts'
import {
  type AccountListQuery,
  type AccountPosition,
  type AccountRow,
  accountHistory,
  accountWritten,
  brandExists,
  claimAccount,
  hideAccount,
  listAccounts,
  restoreAccount,
  updateAccount,
} from '../../db/queries/accounts.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import { AppError, invalidRequest, notFound } from '../../errors.ts'
import { type AuditEntry, audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requirePermission } from '../permissions.ts'
import { READ_TIMEOUT_MS } from '../read-timeout.ts'
import { countLiveAccounts, tooManyAccounts, withinAccountLimit } from './account-limit.ts'
import { NO_SUCH_BRAND, requireBrandInReach } from './brand-reach.ts'
import { getAccountRow } from './get-account-row.ts'
import { presentAccount } from './present.ts'
import type { Account, AccountMetricsPoint, UpdateAccount } from './schemas.ts'

export async function getAccount(ctx: ServiceContext, id: string): Promise<Account> {
  requirePermission(ctx.actor, 'analytics.read')
  return presentAccount(await getAccountRow(ctx, id), ctx.clock.now())
}

export interface AccountPage {
  items: Account[]
  next: AccountPosition | null
  /** The workspace's, when they were read. */
  generation: number
}

/** A page of accounts, with the generation that it belongs to. */
export async function listAccountsPage(
  ctx: ServiceContext,
  query: Omit<AccountListQuery, 'nowIso'>,
): Promise<AccountPage> {
  requirePermission(ctx.actor, 'analytics.read')
  const now = ctx.clock.now()
  const workspaceId = ctx.workspace.id
  const [[state], rows] = await ctx.db.inWorkspace(
    workspaceId,
    [
      workspaceState(workspaceId),
      listAccounts(workspaceId, { ...query, nowIso: new Date(now).toISOString() }),
    ],
    { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
  )
  if (state === undefined) throw notFound('workspace')
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  return {
    items: page.map((row) => presentAccount(row, now)),
    next: rows.length > query.limit && last !== undefined ? { value: last.sortValue, id: last.id } : null,
    generation: state.generation,
  }
}

/** Days of follower history in one answer: two years. */
const HISTORY_DAYS = 731

export async function getAccountMetrics(ctx: ServiceContext, id: string): Promise<AccountMetricsPoint[]> {
  requirePermission(ctx.actor, 'analytics.read')
  await getAccountRow(ctx, id)
  const [points] = await ctx.db.inWorkspace(ctx.workspace.id, [
    accountHistory(ctx.workspace.id, id, ctx.workspace.timezone, HISTORY_DAYS),
  ])
  return points
}

/**
 * Runs a change that others can see: under the lock, with the generation raised, listeners told, and an entry
 * in the audit log where there is one to make and the account was written.
 * @param conditions what undoes all of it at the end
 */
async function change(
  ctx: ServiceContext,
  { id, handle }: AccountRow,
  statement: (nowIso: string) => Statement<AccountRow>,
  entry: Pick<AuditEntry, 'action' | 'details'> | null,
  conditions: Statement<never>[] = [],
): Promise<AccountRow | null> {
  const workspaceId = ctx.workspace.id
  const target = { kind: 'account', id, name: handle }
  const onlyIf = accountWritten(workspaceId, id)
  const [, [row], , pending] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    statement(new Date(ctx.clock.now()).toISOString()),
    raiseGeneration(workspaceId, [
      { type: 'metrics.updated', data: { accounts: [{ id, delta: {} }], posts: [] } },
    ]),
    undeliveredEvents(workspaceId),
    ...(entry === null ? [] : [audit(ctx, { ...entry, target, onlyIf })]),
    ...conditions,
  ])
  await deliverEvents(ctx, workspaceId, pending)
  return row ?? null
}

/** Tries of a change that others keep changing under. */
const MOST_TRIES = 5

/** @throws conflict for an imported account that is to be paused or resumed */
export async function changeAccount(ctx: ServiceContext, id: string, input: UpdateAccount): Promise<Account> {
  requirePermission(ctx.actor, 'accounts.write')
  if (input.brandId !== undefined) requireBrandInReach(ctx.actor, input.brandId)
  for (let tried = 0; tried < MOST_TRIES; tried += 1) {
    const row = await getAccountRow(ctx, id)
    if (row.deletedAt !== null) throw notFound('account')
    if (input.status !== undefined && row.status === 'imported')
      throw new AppError(
        'conflict',
        'An imported account is not synced, so it can neither be paused nor resumed.',
      )
    if (input.brandId != null) await requireBrand(ctx, input.brandId)
    // What it was is written down as well, so nothing is done where it is another by now.
    const changed = await change(
      ctx,
      row,
      (nowIso) => updateAccount(ctx.workspace.id, id, input, row, nowIso),
      changeEntry(row, input),
    )
    if (changed !== null) return presentAccount(changed, ctx.clock.now())
  }
  throw new AppError('conflict', 'Others are changing this account at the moment.')
}

async function requireBrand(ctx: ServiceContext, brandId: string): Promise<void> {
  const [brands] = await ctx.db.inWorkspace(ctx.workspace.id, [brandExists(ctx.workspace.id, brandId)])
  if (brands.length === 0) throw invalidRequest([{ pointer: '/brandId', detail: NO_SUCH_BRAND }])
}

/** What changes, from what to what; `null`: nothing does. */
function changeEntry(row: AccountRow, input: UpdateAccount): Pick<AuditEntry, 'action' | 'details'> | null {
  const from: Record<string, unknown> = {}
  const to: Record<string, unknown> = {}
  const brandId = input.brandId?.toLowerCase() ?? input.brandId
  if (brandId !== undefined && brandId !== row.brandId) {
    from.brandId = row.brandId
    to.brandId = brandId
  }
  if (input.status !== undefined && input.status !== row.status) {
    from.status = row.status
    to.status = input.status
  }
  return Object.keys(to).length === 0 ? null : { action: 'account.changed', details: { from, to } }
}

/** Hides an account at once, from every figure; it can be brought back for 30 days. */
export async function removeAccount(ctx: ServiceContext, id: string): Promise<void> {
  requirePermission(ctx.actor, 'accounts.write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt !== null) return
  await change(ctx, row, (nowIso) => hideAccount(ctx.workspace.id, id, nowIso), { action: 'account.removed' })
}

/**
 * @throws gone when the account was hidden too long ago; conflict when it is connected again meanwhile, or the
 *   workspace has as many accounts as it can have
 */
export async function bringBackAccount(ctx: ServiceContext, id: string): Promise<Account> {
  requirePermission(ctx.actor, 'accounts.write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt === null) return presentAccount(row, ctx.clock.now())
  const restored = await change(
    ctx,
    row,
    (nowIso) => restoreAccount(ctx.workspace.id, id, nowIso),
    { action: 'account.restored' },
    withinAccountLimit(ctx.workspace.id),
  ).catch(async (error: unknown) => {
    if (wasOvertaken(error)) throw tooManyAccounts(await countLiveAccounts(ctx))
    if (error instanceof Error && 'sqlState' in error && error.sqlState === '23505')
      throw new AppError('conflict', 'This account has been connected again since; remove that one first.')
    throw error
  })
  if (restored === null) throw new AppError('gone', 'This account was removed more than 30 days ago.')
  return presentAccount(restored, ctx.clock.now())
}

/**
 * Claims an account for whoever is about to queue its reading.
 * @throws conflict for an account that is not being synced
 */
export async function claimForSync(ctx: ServiceContext, id: string): Promise<AccountRow> {
  requirePermission(ctx.actor, 'accounts.write')
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt !== null) throw notFound('account')
  const [[claimed]] = await ctx.db.inWorkspace(ctx.workspace.id, [
    claimAccount(ctx.workspace.id, id, new Date(ctx.clock.now()).toISOString()),
  ])
  if (claimed === undefined)
    throw new AppError(
      'conflict',
      `This account is ${row.status} and cannot be synced${row.statusReason ? `: ${row.statusReason}` : '.'}`,
    )
  return claimed
}
