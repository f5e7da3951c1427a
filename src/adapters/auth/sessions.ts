import { getCookieCache } from 'better-auth/cookies'
import { LRUCache } from 'lru-cache'
import type { Clock, SessionUser } from '../../ports.ts'

/** Cookies carry the `__Host-` prefix, which browsers accept only over https or on localhost, host-wide. */
export const COOKIE_PREFIX = '__Host-tidemark'

/** A verified cookie is trusted from memory for this long before its signature is checked again. */
const MEMO_MS = 5_000

/**
 * Reads the signed session cookie without asking anybody. `null` where there is none, or where it is old
 * enough to have to be renewed (see `auth.ts`).
 */
export function createSessionReader(options: { secret: string; clock: Clock }) {
  const verified = new LRUCache<string, { user: SessionUser; atMs: number; expiresAtMs: number }>({
    max: 2_000,
  })
  return async (headers: Headers): Promise<SessionUser | null> => {
    const cookie = headers.get('cookie')
    if (cookie === null) return null
    const now = options.clock.now()
    const memo = verified.get(cookie)
    if (memo !== undefined && now - memo.atMs < MEMO_MS && now < memo.expiresAtMs) return memo.user
    const cached = await getCookieCache(headers, {
      cookiePrefix: COOKIE_PREFIX,
      isSecure: false,
      secret: options.secret,
    })
    if (cached === null) return null
    const { id, email, name } = cached.user
    const user = { id, email, name }
    const expiresAtMs = new Date(cached.session.expiresAt).getTime()
    if (expiresAtMs <= now) return null
    verified.set(cookie, { user, atMs: now, expiresAtMs })
    return user
  }
}
