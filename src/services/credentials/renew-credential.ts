import {
  type CredentialVersion,
  claimRefresh,
  releaseRefresh,
  storeRefreshed,
} from '../../db/queries/credentials.ts'
import type { Platform } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import { sleep } from '../../lib/sleep.ts'
import {
  type CredentialVault,
  type OAuthFlow,
  PlatformError,
  type PlatformSecret,
  type SealedCredential,
  type TokenGrant,
} from '../../ports.ts'
import { connectorContext } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { noteMalformed } from '../usage/note-malformed.ts'
import { UsageLedger } from '../usage/usage-ledger.ts'
import { writeUsage } from '../usage/write-usage.ts'

/** A stored credential of an account, opened. */
export interface StoredSecret extends CredentialVersion {
  platform: Platform
  secret: PlatformSecret
  /** When the access token stops working; `null`: it does not say. */
  expiresAt: string | null
}

type Renewal =
  | { kind: 'renewed'; accessToken: string; updatedAt: string }
  /** Somebody else is at it, or has just stored another. */
  | { kind: 'elsewhere' }
  /** The platform renews none of these. */
  | { kind: 'impossible' }
  | { kind: 'failed'; error: PlatformError }

/** Longer than a call may take; whoever dies meanwhile keeps the others waiting no longer than this. */
const CLAIM_MS = 30_000
/** After a passing failure nobody tries again for so long, or for as long as the platform asks, up to the most. */
const REST_MS = 30_000
const MOST_REST_MS = 600_000
/** Tries to store what was renewed: many platforms take the old one back as they give the new. */
const MOST_STORE_TRIES = 4
const STORE_PAUSE_MS = 150

/** What is kept of a grant. */
export function secretOf(grant: TokenGrant): PlatformSecret {
  const { accessToken, refreshToken, refreshExpiresAtMs, scopes, allowance } = grant
  return {
    accessToken,
    ...(refreshToken === null ? {} : { refreshToken }),
    ...(refreshExpiresAtMs === null ? {} : { refreshExpiresAtMs }),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(allowance === undefined ? {} : { allowance }),
  }
}

/** When a grant's access token stops working, as it is stored. */
export function expiryOf({ expiresAtMs }: TokenGrant): string | null {
  return expiresAtMs === null ? null : new Date(expiresAtMs).toISOString()
}

function grantOf({ secret, expiresAt }: StoredSecret): TokenGrant {
  return {
    accessToken: secret.accessToken,
    refreshToken: secret.refreshToken ?? null,
    expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt),
    refreshExpiresAtMs: secret.refreshExpiresAtMs ?? null,
    scopes: secret.scopes ?? [],
  }
}

/**
 * Renews a credential at its platform and stores the new one in its place. Of all who want to, one does; the
 * others are told so at once.
 */
export async function renewCredential(
  deps: ServiceDeps,
  oauth: OAuthFlow,
  vault: CredentialVault,
  stored: StoredSecret,
): Promise<Renewal> {
  const { workspaceId } = stored
  const nowMs = deps.clock.now()
  const untilIso = iso(nowMs + CLAIM_MS)
  const [[claimed]] = await deps.db.inWorkspace(workspaceId, [
    claimRefresh(stored, { nowIso: iso(nowMs), untilIso }),
  ])
  if (claimed === undefined) return { kind: 'elsewhere' }
  const release = (notBeforeIso: string | null) =>
    deps.db.inWorkspace(workspaceId, [releaseRefresh(stored, { untilIso, notBeforeIso })])
  let grant: TokenGrant | null
  try {
    grant = await askForGrant(deps, oauth, stored)
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    const restMs = Math.min(error.retryAfterMs ?? REST_MS, MOST_REST_MS)
    await release(error.kind === 'auth' ? null : iso(deps.clock.now() + restMs))
    return { kind: 'failed', error }
  }
  if (grant === null) {
    await release(null)
    return { kind: 'impossible' }
  }
  // What an answer leaves out goes on as it was.
  const secret = { ...stored.secret, ...secretOf(grant) }
  const sealed = await vault.seal(stored, secret)
  const updatedAt = await keep(deps, stored, { ...sealed, expiresAt: expiryOf(grant) })
  return updatedAt === null
    ? { kind: 'elsewhere' }
    : { kind: 'renewed', accessToken: secret.accessToken, updatedAt }
}

async function askForGrant(
  deps: ServiceDeps,
  oauth: OAuthFlow,
  stored: StoredSecret,
): Promise<TokenGrant | null> {
  const ledger = new UsageLedger(deps.clock.now)
  const shares = [{ workspaceId: stored.workspaceId, items: 1 }]
  // The token that is renewed goes where the flow sends it, and nowhere else.
  const context = connectorContext(deps, stored.platform, { ledger, shares })
  try {
    return await oauth.refresh(context, grantOf(stored))
  } catch (error) {
    await noteMalformed(deps, stored.platform, context, error)
    throw error
  } finally {
    deps.waitUntil(writeUsage(deps, ledger))
  }
}

/** @returns when it counts as stored; `null`: another credential stands there by now */
async function keep(
  deps: ServiceDeps,
  stored: StoredSecret,
  renewed: SealedCredential & { expiresAt: string | null },
): Promise<string | null> {
  for (let tried = 1; ; tried += 1) {
    try {
      const [[row]] = await deps.db.inWorkspace(stored.workspaceId, [
        storeRefreshed(stored, { ...renewed, nowIso: iso(deps.clock.now()) }),
      ])
      return row?.updatedAt ?? null
    } catch (error) {
      const isPassing = error instanceof AppError && error.code === 'unavailable'
      if (!isPassing || tried === MOST_STORE_TRIES) throw error
      await sleep(STORE_PAUSE_MS * tried)
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
