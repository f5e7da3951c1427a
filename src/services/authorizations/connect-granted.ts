import { DatabaseError, isUniqueViolation, type Statement } from '../../db/client.ts'
import { proceedOnlyIf, wasOvertaken } from '../../db/queries/access.ts'
import {
  ACCOUNT_UNIQUE,
  type AccountRow,
  accountWritten,
  insertAccount,
  selectAccount,
  useCredential,
} from '../../db/queries/accounts.ts'
import {
  type AuthorizationRow,
  connectedAccounts,
  isGranted,
  useGrant,
} from '../../db/queries/authorizations.ts'
import { storeCredential } from '../../db/queries/credentials.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { MAX_ACCOUNTS } from '../../domain/account-limit.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { CredentialError, type CredentialVault, type GrantedAccount } from '../../ports.ts'
import { countLiveAccounts, tooManyAccounts, withinAccountLimit } from '../accounts/account-limit.ts'
import { brandBeyondReach } from '../accounts/brand-reach.ts'
import { presentAccount } from '../accounts/present.ts'
import type { Account } from '../accounts/schemas.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { expiryOf, secretOf } from '../credentials/renew-credential.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { queueFirstSync } from '../sync/queue.ts'
import { openGrants } from './grants.ts'
import { getOwnAuthorization } from './own-authorization.ts'
import { requireOAuth } from './require-oauth.ts'
import type { ConnectGranted } from './schemas.ts'

/** An account that is to be read with what was granted. */
interface Chosen {
  id: string
  granted: GrantedAccount
  isNew: boolean
}

/** Tries where others connect the same accounts meanwhile. */
const MOST_TRIES = 3

/**
 * Connects what was chosen of the accounts that were granted, all or none. One that is connected already is
 * read with the new credential from now on, and again where its platform had let us in no more. What was
 * granted can be used once.
 * @throws conflict where it was used before, nothing was granted, or the workspace would have more accounts than it
 *   can have; gone where it took too long; already_connected for an account that the actor does not see
 */
export async function connectGranted(
  ctx: ServiceContext,
  id: string,
  { externalIds }: ConnectGranted,
): Promise<Account[]> {
  for (let tried = 1; ; tried += 1) {
    const row = await getOwnAuthorization(ctx, id)
    requireGranted(row, ctx.clock.now())
    const { vault } = await requireOAuth(ctx, row.platform)
    const grants = await open(ctx, vault, row)
    const chosen = await choose(ctx, row, grants, externalIds)
    try {
      return await connect(ctx, vault, row, chosen)
    } catch (error) {
      if (wasOvertaken(error)) await requireRoom(ctx, chosen)
      const wasFaster = isUniqueViolation(error, ACCOUNT_UNIQUE)
      if (wasFaster && tried === MOST_TRIES)
        throw new AppError(
          'already_connected',
          'One of these accounts is already connected in this workspace.',
        )
      const isStale = wasFaster || wasOvertaken(error) || isBrandGone(error)
      if (!isStale || tried === MOST_TRIES) throw error
    }
  }
}

function requireGranted({ status, reason, expiresAt }: AuthorizationRow, nowMs: number): void {
  if (status === 'used') throw new AppError('conflict', 'What was granted has been used: begin again.')
  if (Date.parse(expiresAt) <= nowMs) throw new AppError('gone', 'This took too long: begin again.')
  if (status !== 'granted')
    throw new AppError('conflict', reason ?? 'Nobody has come back from the platform yet.')
}

async function open(
  ctx: ServiceContext,
  vault: CredentialVault,
  { id, keyId, sealed }: AuthorizationRow,
): Promise<Map<string, GrantedAccount>> {
  const owner = { workspaceId: ctx.workspace.id, authorizationId: id }
  try {
    const grants = await openGrants(vault, owner, { keyId, sealed })
    return new Map(grants.map((granted) => [granted.profile.externalId, granted]))
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error
    throw new AppError('gone', 'The keys of this deployment have changed meanwhile: begin again.')
  }
}

/** @throws conflict where a workspace would have more accounts than it can have */
async function requireRoom(ctx: ServiceContext, chosen: Chosen[]): Promise<void> {
  const live = await countLiveAccounts(ctx)
  if (live + countNew(chosen) > MAX_ACCOUNTS) throw tooManyAccounts(live)
}

const countNew = (chosen: Chosen[]) => chosen.filter(({ isNew }) => isNew).length

/** Whether the brand was removed while its accounts were being put into it: then they are put into none. */
function isBrandGone(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlState === '23503'
}

/** @throws invalid_request naming every id that was not granted; insufficient_role beyond the actor's brands */
async function choose(
  ctx: ServiceContext,
  row: AuthorizationRow,
  grants: Map<string, GrantedAccount>,
  externalIds: string[],
): Promise<Chosen[]> {
  const wrong = externalIds.flatMap((externalId, i) =>
    grants.has(externalId) ? [] : { pointer: `/externalIds/${i}`, detail: 'This account was not granted.' },
  )
  if (wrong.length > 0) throw invalidRequest(wrong)
  const wanted = [...new Set(externalIds)]
  const [known] = await ctx.db.inWorkspace(ctx.workspace.id, [
    connectedAccounts(ctx.workspace.id, row.platform, wanted),
  ])
  const idOf = new Map(known.map((account) => [account.externalId, account.id]))
  const chosen = wanted.flatMap((externalId): Chosen[] => {
    const granted = grants.get(externalId)
    if (granted === undefined) return []
    const accountId = idOf.get(externalId)
    return [{ id: accountId ?? newId(ctx.clock.now()), granted, isNew: accountId === undefined }]
  })
  if (countNew(chosen) > 0 && brandBeyondReach(ctx.actor, row.brandId, '') !== null)
    throw new AppError(
      'insufficient_role',
      'You work within brands, and these accounts would be in none of yours.',
    )
  return chosen
}

async function connect(
  ctx: ServiceContext,
  vault: CredentialVault,
  row: AuthorizationRow,
  chosen: Chosen[],
): Promise<Account[]> {
  const workspaceId = ctx.workspace.id
  const nowIso = new Date(ctx.clock.now()).toISOString()
  const statements: Statement<unknown>[] = []
  for (const one of chosen) statements.push(...(await statementsFor(ctx, vault, row, one)))
  const accounts = chosen.map(({ id }) => ({ id, delta: {} }))
  const [, , , pending] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    proceedOnlyIf(isGranted(workspaceId, row.id, nowIso)),
    raiseGeneration(workspaceId, [{ type: 'metrics.updated', data: { accounts, posts: [] } }]),
    undeliveredEvents(workspaceId),
    useGrant(workspaceId, row.id),
    ...statements,
    ...(countNew(chosen) > 0 ? withinAccountLimit(workspaceId) : []),
  ])
  await deliverEvents(ctx, workspaceId, pending)
  const rows = await ctx.db.inWorkspace(
    workspaceId,
    chosen.map(({ id }) => selectAccount(workspaceId, id)),
  )
  const connected = rows.flat()
  await Promise.all(connected.map((account) => syncSoon(ctx, account)))
  const nowMs = ctx.clock.now()
  return connected.map((account) => presentAccount(account, nowMs))
}

async function statementsFor(
  ctx: ServiceContext,
  vault: CredentialVault,
  { platform, brandId }: AuthorizationRow,
  { id, granted, isNew }: Chosen,
): Promise<Statement<unknown>[]> {
  const workspaceId = ctx.workspace.id
  const nowMs = ctx.clock.now()
  const nowIso = new Date(nowMs).toISOString()
  const { externalId, host, handle, displayName, url, avatarUrl } = granted.profile
  const sealed = await vault.seal({ workspaceId, accountId: id, platform }, secretOf(granted.grant))
  const expiresAt = expiryOf(granted.grant)
  const target = { kind: 'account', id, name: handle }
  const onlyIf = accountWritten(workspaceId, id)
  const account = {
    ...{ id, platform, externalId, host, handle, displayName, url, avatarUrl, brandId },
    source: 'credential' as const,
    trackedSince: nowIso,
  }
  return [
    // One that was removed meanwhile is connected anew at the next try.
    ...(isNew
      ? [insertAccount(workspaceId, account)]
      : [useCredential(workspaceId, id, nowIso, true), proceedOnlyIf(onlyIf)]),
    storeCredential(workspaceId, { id: newId(nowMs), accountId: id, ...sealed, expiresAt, nowIso }),
    ...(isNew ? [audit(ctx, { action: 'account.connected', target, details: { platform, brandId } })] : []),
    audit(ctx, { action: 'credentials.stored', target, details: { platform }, onlyIf }),
  ]
}

async function syncSoon(ctx: ServiceContext, account: AccountRow): Promise<void> {
  if (account.status !== 'active') return
  await queueFirstSync(ctx, account).catch((error: unknown) =>
    ctx.log.warn('first sync left to the next plan', { accountId: account.id, error }),
  )
}
