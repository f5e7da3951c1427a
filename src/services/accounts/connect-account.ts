import { isUniqueViolation } from '../../db/client.ts'
import { wasOvertaken } from '../../db/queries/access.ts'
import {
  ACCOUNT_UNIQUE,
  type AccountRow,
  brandExists,
  findByExternalId,
  insertAccount,
  type NewAccount,
  selectAccount,
} from '../../db/queries/accounts.ts'
import { storeCredential } from '../../db/queries/credentials.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { PLATFORM_FACTS, type Platform } from '../../domain/platforms.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { AccountProfile, SealedCredential } from '../../ports.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { requireTokens, tokenRefusal } from '../credentials/check-token.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requirePermission } from '../permissions.ts'
import { toAppError } from '../platform-errors.ts'
import { queueFirstSync } from '../sync/queue.ts'
import { countLiveAccounts, tooManyAccounts, withinAccountLimit } from './account-limit.ts'
import { NO_SUCH_BRAND, requireBrandInReach } from './brand-reach.ts'
import { callFor, connectorOf } from './connector-context.ts'
import { presentAccount } from './present.ts'
import type { Account, ConnectAccount } from './schemas.ts'

/**
 * Connects an account by whatever a person pasted. The platform is asked first, so that nothing is stored of
 * a handle it does not know, nor a credential that it refuses; the first sync is queued.
 * @throws account_not_found, already_connected (with the id), platform_unavailable …; conflict where the workspace
 *   has as many accounts as it can have; unavailable for a credential where the deployment has no key
 */
export async function connectAccount(ctx: ServiceContext, input: ConnectAccount): Promise<Account> {
  requirePermission(ctx.actor, 'accounts.write')
  requireBrandInReach(ctx.actor, input.brandId)
  return connectOnBehalf(ctx, input)
}

/** The same without asking whether the context's actor may: somebody has. The actor is who did it. */
export async function connectOnBehalf(ctx: ServiceContext, input: ConnectAccount): Promise<Account> {
  const workspaceId = ctx.workspace.id
  const id = newId(ctx.clock.now())
  const { profile, sealed } = await askPlatform(ctx, id, input)
  const [existing, brand] = await ctx.db.inWorkspace(workspaceId, [
    findByExternalId(workspaceId, { platform: input.platform, ...profile }),
    brandExists(workspaceId, input.brandId ?? NO_ID),
  ])
  if (existing[0] !== undefined) throw alreadyConnected(profile.handle, existing[0].id)
  if (input.brandId !== undefined && brand.length === 0)
    throw invalidRequest([{ pointer: '/brandId', detail: NO_SUCH_BRAND }])

  const row = await store(ctx, id, input, profile, sealed).catch(async (error: unknown) => {
    if (wasOvertaken(error)) throw tooManyAccounts(await countLiveAccounts(ctx))
    if (!isUniqueViolation(error, ACCOUNT_UNIQUE)) throw error
    const [[other]] = await ctx.db.inWorkspace(workspaceId, [
      findByExternalId(workspaceId, { platform: input.platform, ...profile }),
    ])
    throw alreadyConnected(profile.handle, other?.id)
  })
  await queueFirstSync(ctx, row).catch((error: unknown) =>
    ctx.log.warn('first sync left to the next plan', { accountId: id, error }),
  )
  return presentAccount(row, ctx.clock.now())
}

/** The profile, and what is to be stored of the credential where one was given. */
async function askPlatform(
  ctx: ServiceContext,
  accountId: string,
  input: ConnectAccount,
): Promise<{ profile: AccountProfile; sealed: SealedCredential | null }> {
  const { platform, handle, credentials } = input
  if (credentials === undefined) {
    const connector = await connectorOf(ctx, platform)
    const profile = await callFor(ctx, platform, (context) => connector.resolve(context, handle)).catch(
      (error: unknown) => {
        throw toAppError(error)
      },
    )
    return { profile, sealed: null }
  }
  const { tokens, vault } = await requireTokens(ctx, platform, '/credentials')
  try {
    const token = { value: credentials.accessToken, allowance: accountId }
    const { profile, accessToken } = await callFor(ctx, platform, async (context) => {
      const resolved = await tokens.resolve(context, handle, token)
      await tokens.verify(context, resolved.accessToken)
      return resolved
    })
    const owner = { workspaceId: ctx.workspace.id, accountId, platform }
    return { profile, sealed: await vault.seal(owner, { accessToken: accessToken.value }) }
  } catch (error) {
    throw tokenRefusal(error, '/credentials/accessToken')
  }
}

/** Stores the account and its credential, says so to listeners, and writes it down: all or nothing. */
async function store(
  ctx: ServiceContext,
  id: string,
  input: ConnectAccount,
  profile: AccountProfile,
  sealed: SealedCredential | null,
): Promise<AccountRow> {
  const workspaceId = ctx.workspace.id
  const nowMs = ctx.clock.now()
  const nowIso = new Date(nowMs).toISOString()
  const { platform } = input
  const { externalId, host, handle, displayName, url, avatarUrl } = profile
  const brandId = input.brandId ?? null
  const source = sealed === null ? sourceOf(platform) : 'credential'
  const account: NewAccount = {
    ...{ id, platform, externalId, host, handle, displayName, url, avatarUrl, brandId, source },
    trackedSince: nowIso,
  }
  const target = { kind: 'account', id, name: handle }
  const withCredential =
    sealed === null
      ? []
      : [
          storeCredential(workspaceId, {
            id: newId(nowMs),
            accountId: id,
            ...sealed,
            expiresAt: null,
            nowIso,
          }),
          audit(ctx, { action: 'credentials.stored', target, details: { platform } }),
        ]
  const [, [inserted], , pending] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    insertAccount(workspaceId, account),
    raiseGeneration(workspaceId, [
      { type: 'metrics.updated', data: { accounts: [{ id, delta: {} }], posts: [] } },
    ]),
    undeliveredEvents(workspaceId),
    audit(ctx, { action: 'account.connected', target, details: { platform, brandId } }),
    ...withCredential,
    ...withinAccountLimit(workspaceId),
  ])
  await deliverEvents(ctx, workspaceId, pending)
  if (inserted === undefined) throw new AppError('internal', 'The account was not stored.')
  if (sealed === null) return inserted
  const [[row]] = await ctx.db.inWorkspace(workspaceId, [selectAccount(workspaceId, id)])
  return row ?? inserted
}

/** How an account without a credential is read. What our own app reads is not what anyone can. */
function sourceOf(platform: Platform): 'public' | 'app' {
  return PLATFORM_FACTS[platform].connects === 'anyone' ? 'public' : 'app'
}

/** Matches nothing: ids are version 7. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

function alreadyConnected(handle: string, id: string | undefined): AppError {
  return new AppError('already_connected', `${handle} is already connected in this workspace.`, {
    ...(id === undefined ? {} : { existingId: id }),
    fields: [{ pointer: '/handle', detail: 'already connected' }],
  })
}
