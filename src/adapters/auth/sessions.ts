import { LRUCache } from 'lru-cache'
import { atMost } from '../../lib/lru.ts'
import type { Clock, Session } from '../../ports.ts'

/** Cookies carry the `__Host-` prefix, which browsers accept only over https or on localhost, host-wide. */
export const COOKIE_PREFIX = '__Host-tidemark'

/** A verified cookie is trusted from memory for this long before its signature is checked again. */
const MEMO_MS = 5_000

/**
 * Reads the signed session cookie without asking anybody. `null` where there is none, or where it is old
 * enough to have to be renewed (see `auth.ts`). Whether the session still stands is the directory's to say.
 */
export function createSessionReader(options: { secret: string; clock: Clock }) {
  const verified = new LRUCache<string, { session: Session; atMs: number; expiresAtMs: number }>(
    atMost(2_000),
  )
  return async (headers: Headers): Promise<Session | null> => {
    const cookie = headers.get('cookie')
    if (cookie === null) return null
    const now = options.clock.now()
    const memo = verified.get(cookie)
    if (memo !== undefined && now - memo.atMs < MEMO_MS && now < memo.expiresAtMs) return memo.session
    // Loaded when the first session comes: it brings half of the sign-in library along.
    const { getCookieCache } = await import('./cookie-cache.ts')
    const cached = await getCookieCache(headers, {
      cookiePrefix: COOKIE_PREFIX,
      isSecure: false,
      secret: options.secret,
      // What is no cookie of ours at all makes the library throw.
    }).catch(() => null)
    if (cached === null) return null
    const { id, email, name } = cached.user
    const session = { id: cached.session.id, user: { id, email, name } }
    const expiresAtMs = new Date(cached.session.expiresAt).getTime()
    if (expiresAtMs <= now) return null
    verified.set(cookie, { session, atMs: now, expiresAtMs })
    return session
  }
}

/**
 * A request without the signed copy of its session: what changes access asks the database whether the session
 * still stands.
 */
export function withoutCookieCache(request: Request): Request {
  const cookie = request.headers.get('cookie')
  if (cookie?.includes(`${COOKIE_PREFIX}.session_data`) !== true) return request
  const headers = new Headers(request.headers)
  const kept = cookie
    .split(';')
    .map((part) => part.trim())
    .filter((part) => !part.startsWith(`${COOKIE_PREFIX}.session_data`))
  headers.set('cookie', kept.join('; '))
  return new Request(request, { headers })
}
