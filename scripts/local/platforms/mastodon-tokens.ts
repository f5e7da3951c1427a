import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { InterventionError } from './interventions.ts'
import { ApiError, type Call } from './platform-handler.ts'

/** Access tokens of the simulated Mastodon server, and whether it answers without one. */
export interface MastodonTokens {
  /** Makes a token, of a user or of an application alone; with a text of the caller's choosing where given. */
  issue(options?: IssueOptions): string
  revoke(token: string): void
  expire(token: string): void
  /** Whether the server shows accounts and posts to its users alone. */
  close(closed: boolean): void
  /** Lets a call pass or throws what the server answers. @returns the user's account id, where there is one */
  authorize(call: Call): string | null
  /** The account of whoever asks, for calls that only a user can make. @throws ApiError otherwise */
  requireUser(call: Call): string
}

interface IssueOptions {
  /** The id of the user's account; none: a token of an application. */
  accountId?: string | undefined
  token?: string | undefined
  scopes?: readonly string[] | undefined
}

interface Grant {
  accountId: string | null
  scopes: readonly string[]
  state: 'valid' | 'revoked' | 'expired'
}

const ANSWERS_ANYBODY = ['/api/v2/instance']

const INVALID: Record<Grant['state'] | 'unknown', string> = {
  valid: '',
  unknown: 'The access token is invalid',
  revoked: 'The access token was revoked',
  expired: 'The access token expired',
}

export function createMastodonTokens(): MastodonTokens {
  const grants = new Map<string, Grant>()
  let isClosed = false

  const change = (token: string, state: Grant['state']): void => {
    const grant = grants.get(token)
    if (grant === undefined) throw new InterventionError('There is no such token')
    grant.state = state
  }

  const grantOf = (call: Call): Grant | null => {
    const header = call.request.headers.get('authorization')
    if (header === null) return null
    const grant = grants.get(header.replace(/^Bearer /, ''))
    if (grant?.state !== 'valid') throw new ApiError(401, 'Unauthorized', INVALID[grant?.state ?? 'unknown'])
    if (!grant.scopes.some((scope) => scope === 'read' || scope.startsWith('read:')))
      throw new ApiError(403, 'Forbidden', 'This action is outside the authorized scopes')
    return grant
  }

  return {
    issue({ accountId, token = randomBytes(32).toString('base64url'), scopes = ['read'] } = {}) {
      grants.set(token, { accountId: accountId ?? null, scopes, state: 'valid' })
      return token
    },
    revoke: (token) => change(token, 'revoked'),
    expire: (token) => change(token, 'expired'),
    close: (closed) => {
      isClosed = closed
    },
    authorize(call) {
      const { pathname } = call.url
      if (!pathname.startsWith('/api/') || ANSWERS_ANYBODY.includes(pathname)) return null
      const accountId = grantOf(call)?.accountId ?? null
      if (isClosed && accountId === null)
        throw new ApiError(401, 'Unauthorized', 'This method requires an authenticated user')
      return accountId
    },
    requireUser(call) {
      const grant = grantOf(call)
      if (grant === null) throw new ApiError(401, 'Unauthorized', INVALID.unknown)
      if (grant.accountId === null)
        throw new ApiError(422, 'UnprocessableContent', 'This method requires an authenticated user')
      return grant.accountId
    },
  }
}

const Token = z.object({ token: z.string() })
const Issue = z.object({
  account: z.string().optional(),
  token: z.string().min(1).optional(),
  scopes: z.array(z.string()).optional(),
})

/** What the control interface can do to tokens, by its verbs; each answers what it says it made. */
export const TOKEN_ACTIONS: Record<
  string,
  (tokens: MastodonTokens, body: unknown, accountIdOf: (reference: string) => string) => object
> = {
  'issue-token': (tokens, body, accountIdOf) => {
    const { account, token, scopes } = Issue.parse(body)
    const accountId = account === undefined ? undefined : accountIdOf(account)
    return { token: tokens.issue({ accountId, token, scopes }) }
  },
  'revoke-token': (tokens, body) => {
    tokens.revoke(Token.parse(body).token)
    return {}
  },
  'expire-token': (tokens, body) => {
    tokens.expire(Token.parse(body).token)
    return {}
  },
  'close-instance': (tokens, body) => {
    tokens.close(z.object({ closed: z.boolean() }).parse(body).closed)
    return {}
  },
}
