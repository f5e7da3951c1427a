import { brandExists, selectAccount } from '../../db/queries/accounts.ts'
import { insertAuthorization } from '../../db/queries/authorizations.ts'
import { PLATFORM_FACTS } from '../../domain/platforms.ts'
import { invalidRequest } from '../../errors.ts'
import { toBase64Url } from '../../lib/base64url.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import { userIdOf } from '../access/standing.ts'
import { NO_SUCH_BRAND, requireBrandInReach } from '../accounts/brand-reach.ts'
import { actorName, type ServiceContext, type ServiceDeps } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { requireOAuth } from './require-oauth.ts'
import type { BeginAuthorization, BegunAuthorization } from './schemas.ts'

/** A person has so long to come back from the platform. */
const RETURN_WITHIN_MS = 600_000

/** 256 bits in base64url: 43 characters, as few as PKCE allows. */
function randomText(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}

async function challengeOf(verifier: string): Promise<string> {
  return toBase64Url(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))),
  )
}

/** Where a platform sends people back to; it has to be registered with the deployment's app there. */
export function redirectUriOf({ publicUrl }: Pick<ServiceDeps, 'publicUrl'>, platform: string): string {
  return `${publicUrl}/oauth/${platform}/callback`
}

/**
 * Begins to connect accounts of a platform, or to read one again: whoever goes to the address that comes of it
 * and agrees there comes back with a grant. Of the secrets of that way none is stored in the clear.
 * @throws platform_unsupported where the platform has no such way, or the deployment no app there
 */
export async function beginAuthorization(
  ctx: ServiceContext,
  input: BeginAuthorization,
): Promise<BegunAuthorization> {
  requirePermission(ctx.actor, 'accounts.write')
  await requireTarget(ctx, input)
  const { platform } = input
  const { oauth, vault } = await requireOAuth(ctx, platform)
  const workspaceId = ctx.workspace.id
  const nowMs = ctx.clock.now()
  const id = newId(nowMs)
  const state = randomText()
  const verifier = randomText()
  const expiresAt = new Date(nowMs + RETURN_WITHIN_MS).toISOString()
  await ctx.db.inWorkspace(workspaceId, [
    insertAuthorization(workspaceId, {
      ...{ id, platform, expiresAt, nowIso: new Date(nowMs).toISOString() },
      stateHash: await sha256Hex(state),
      sessionUserId: userIdOf(ctx.actor),
      createdBy: actorName(ctx.actor),
      brandId: input.brandId ?? null,
      accountId: input.accountId ?? null,
      ...(await vault.sealText({ workspaceId, authorizationId: id }, verifier)),
    }),
  ])
  const url = oauth.authorizationUrl({
    redirectUri: redirectUriOf(ctx, platform),
    state,
    codeChallenge: await challengeOf(verifier),
  })
  return { id, url, expiresAt }
}

/** @throws invalid_request for a brand, or an account, that is not there or beyond the actor's reach */
async function requireTarget(
  ctx: ServiceContext,
  { platform, brandId, accountId }: BeginAuthorization,
): Promise<void> {
  const workspaceId = ctx.workspace.id
  if (accountId === undefined) {
    requireBrandInReach(ctx.actor, brandId)
    if (brandId === undefined) return
    const [brands] = await ctx.db.inWorkspace(workspaceId, [brandExists(workspaceId, brandId)])
    if (brands.length === 0) throw invalidRequest([{ pointer: '/brandId', detail: NO_SUCH_BRAND }])
    return
  }
  const [[account]] = await ctx.db.inWorkspace(workspaceId, [selectAccount(workspaceId, accountId)])
  const wrong = (detail: string) => invalidRequest([{ pointer: '/accountId', detail }])
  if (account === undefined || account.deletedAt !== null) throw wrong('There is no such account.')
  if (account.platform !== platform)
    throw wrong(`This account is not one of ${PLATFORM_FACTS[platform].label}.`)
  if (account.source === 'import') throw wrong('This account is known from files alone.')
}
