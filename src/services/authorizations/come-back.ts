import { selectAccount } from '../../db/queries/accounts.ts'
import {
  type AuthorizationRow,
  authorizationByState,
  type Settlement,
  settleReturn,
  takeReturn,
} from '../../db/queries/authorizations.ts'
import { PLATFORM_FACTS } from '../../domain/platforms.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { CredentialError, type GrantedAccount, PlatformError } from '../../ports.ts'
import { callFor } from '../accounts/connector-context.ts'
import type { ServiceContext, ServiceDeps } from '../context.ts'
import { isAllowed } from '../permissions.ts'
import { redirectUriOf } from './begin-authorization.ts'
import { candidateOf, sealGrants } from './grants.ts'
import { requireOAuth } from './require-oauth.ts'

/** What a platform has sent a person back with, as it stands in the address. */
export interface ReturnAddress {
  /** As the path has it. */
  platform: string
  state: string | undefined
  code: string | undefined
  error: string | undefined
}

/** Who comes back, by their session. */
export interface ReturningPerson {
  userId: string
  /** Their request in one of their workspaces; `null`: they are no member. */
  contextIn(workspaceId: string): ServiceContext | null
}

export type Returned =
  /** Settled; what came of it the authorization says. */
  | { kind: 'settled'; authorizationId: string }
  /** Of no state that is waited for: used up, too old, or made up. */
  | { kind: 'unknown' }
  | { kind: 'somebody_else' }
  | { kind: 'not_allowed' }

const STATE_SHAPE = /^[\w-]{43}$/
const MAX_CODE_LENGTH = 4_096
/** Somebody has so long to choose what to connect. */
const CHOOSE_WITHIN_MS = 1_800_000
/** What platforms call it where a person does not agree. */
const DECLINED: readonly string[] = ['access_denied', 'user_cancelled_login', 'user_cancelled_authorize']
/** And where it is the platform that cannot. */
const PASSING: readonly string[] = ['server_error', 'temporarily_unavailable']

/**
 * Takes somebody back from a platform: once, and only whoever began it, or, where an API key did, a member who
 * may connect accounts. What they bring is exchanged for a grant and kept until they choose what to connect.
 */
export async function comeBack(
  deps: ServiceDeps,
  address: ReturnAddress,
  person: ReturningPerson,
): Promise<Returned> {
  const { state } = address
  if (state === undefined || !STATE_SHAPE.test(state)) return { kind: 'unknown' }
  const [awaited] = await deps.db.outside(authorizationByState(await sha256Hex(state)))
  if (awaited === undefined || awaited.platform !== address.platform) return { kind: 'unknown' }
  const { id, workspaceId, sessionUserId } = awaited
  if (sessionUserId !== null && sessionUserId !== person.userId) return { kind: 'somebody_else' }
  const ctx = person.contextIn(workspaceId)
  if (ctx === null || !isAllowed(ctx.actor, 'accounts.write')) return { kind: 'not_allowed' }
  // The same page once more: it leads where it led before, and nothing is exchanged again.
  if (awaited.status !== 'pending' && sessionUserId !== null) return { kind: 'settled', authorizationId: id }
  const nowIso = new Date(ctx.clock.now()).toISOString()
  const { label } = PLATFORM_FACTS[awaited.platform]
  const reason = `The way back from ${label} broke off: begin again.`
  const [[taken]] = await ctx.db.inWorkspace(workspaceId, [
    takeReturn(workspaceId, id, { sessionUserId: person.userId, reason, nowIso }),
  ])
  if (taken === undefined) return { kind: 'unknown' }
  const settled = await settle(ctx, taken, address)
  await ctx.db.inWorkspace(workspaceId, [settleReturn(workspaceId, id, settled)])
  return { kind: 'settled', authorizationId: id }
}

async function settle(
  ctx: ServiceContext,
  taken: AuthorizationRow,
  { code, error }: ReturnAddress,
): Promise<Settlement> {
  const { label } = PLATFORM_FACTS[taken.platform]
  // Anybody can write an address: of what it says, only what is known is understood.
  if (error !== undefined) {
    if (DECLINED.includes(error))
      return { status: 'refused', reason: `Nobody agreed at ${label}, so there is nothing to connect.` }
    return {
      status: 'failed',
      reason: PASSING.includes(error)
        ? `${label} could not do this at the moment: begin again a little later.`
        : `${label} did not accept the request: an operator has to look at the settings of the app there.`,
    }
  }
  if (code === undefined || code === '' || code.length > MAX_CODE_LENGTH)
    return { status: 'failed', reason: `${label} sent nothing back that could be used: begin again.` }
  try {
    return await granted(ctx, taken, code)
  } catch (failure) {
    if (failure instanceof PlatformError) {
      ctx.log.warn('authorization failed', { authorizationId: taken.id, kind: failure.kind })
      return { status: 'failed', reason: failure.message }
    }
    if (failure instanceof CredentialError)
      return { status: 'failed', reason: 'The keys of this deployment have changed meanwhile: begin again.' }
    throw failure
  }
}

async function granted(ctx: ServiceContext, taken: AuthorizationRow, code: string): Promise<Settlement> {
  const { platform, keyId, sealed } = taken
  const { oauth, vault } = await requireOAuth(ctx, platform)
  const owner = { workspaceId: ctx.workspace.id, authorizationId: taken.id }
  const codeVerifier = await vault.openText(owner, { keyId, sealed })
  const redirectUri = redirectUriOf(ctx, platform)
  const found = await callFor(ctx, platform, async (context) => {
    const grant = await oauth.exchangeCode(context, { code, codeVerifier, redirectUri })
    return oauth.listAccounts(context, grant)
  })
  const wanted = await wantedOf(ctx, taken, found)
  if (!Array.isArray(wanted)) return wanted
  return {
    status: 'granted',
    ...(await sealGrants(vault, owner, wanted)),
    candidates: wanted.map(candidateOf),
    expiresAt: new Date(ctx.clock.now() + CHOOSE_WITHIN_MS).toISOString(),
  }
}

/** Of what was granted, what this is about; or why there is nothing. */
async function wantedOf(
  ctx: ServiceContext,
  { platform, accountId }: AuthorizationRow,
  found: GrantedAccount[],
): Promise<GrantedAccount[] | Settlement> {
  const { label } = PLATFORM_FACTS[platform]
  if (found.length === 0)
    return { status: 'failed', reason: `${label} shows no account that can be connected by whoever agreed.` }
  if (accountId === null) return found
  const [[account]] = await ctx.db.inWorkspace(ctx.workspace.id, [selectAccount(ctx.workspace.id, accountId)])
  const same = found.filter(({ profile }) => profile.externalId === account?.externalId)
  if (same.length > 0) return same
  return {
    status: 'failed',
    reason: `Whoever agreed cannot open ${account?.handle ?? 'this account'}: sign in at ${label} as somebody who can.`,
  }
}
