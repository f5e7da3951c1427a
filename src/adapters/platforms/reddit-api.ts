import * as z from 'zod'
import { type CallOperation, type ConnectorContext, PlatformError } from '../../ports.ts'
import { VERSION } from '../../version.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'

export const WHO = 'Reddit'
/** A token is given up so long before its end, so that none ends under way. */
const RENEW_BEFORE_MS = 300_000
/** How long a token lasts where the answer does not say. */
const DEFAULT_TOKEN_SECONDS = 3_600
/** How soon to look whether the operator has put the app in order. */
const OPERATOR_RETRY_MS = 3_600_000

export interface RedditApiOptions {
  app: { id: string; secret: string }
  /** Without a slash at the end, as is the next. */
  apiUrl: string
  /** Where tokens are granted. */
  siteUrl: string
  userAgent: string
  ruleOf: RuleOf
}

export interface RedditCall {
  path: string
  parameters: Record<string, string>
  operation: CallOperation
  /** How many ids, or the size of the page. */
  items: number
}

/** Makes a call with the app's token and gives the JSON of its answer. */
type RedditApi = (ctx: ConnectorContext, call: RedditCall) => Promise<unknown>

const Grant = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive().max(86_400).catch(DEFAULT_TOKEN_SECONDS),
})
const GrantRefusal = z.object({ error: z.union([z.string(), z.number()]) })
const ErrorBody = z.object({ reason: z.string().catch('') })

const CLOSED_COMMUNITY = ['private', 'quarantined', 'gated', 'gold_only', 'employees_only']

interface Token {
  value: string
  /** Milliseconds since 1970 from which on it is not used any more. */
  untilMs: number
}

/** How Reddit wants callers to name themselves: platform, app, version, and who is behind it. */
function redditUserAgent(appId: string, userAgent: string): string {
  return `web:${appId}:v${VERSION} (${userAgent.replace(/[()]/gu, '')})`
}

function badApp(status: number): PlatformError {
  return new PlatformError('auth', "Reddit does not accept this deployment's app.", {
    status,
    // Every account's calls fail, and go on by themselves when the operator has mended it.
    retryAfterMs: OPERATOR_RETRY_MS,
  })
}

/** The error of an answer that is no success. */
function redditFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  const { reason } = ErrorBody.safeParse(answer.json).data ?? { reason: '' }
  if (status === 401) return badApp(status)
  if (status === 403 && CLOSED_COMMUNITY.includes(reason))
    return new PlatformError('permission', `This community does not let everybody in (${reason}).`, {
      status,
    })
  if ((status === 403 || status === 404) && reason === 'banned')
    return new PlatformError('gone', 'This community is banned from Reddit.', { status })
  if (status === 404 && !answer.isHtml)
    return new PlatformError('gone', 'There is no such user or community on Reddit.', { status })
  return failureOf(answer, WHO)
}

/** Calls Reddit's API as the deployment's app, without any user, which reads what is public. */
export function createRedditApi(options: RedditApiOptions): RedditApi {
  const { app, apiUrl, siteUrl, ruleOf } = options
  const userAgent = redditUserAgent(app.id, options.userAgent)
  const rules = () => [ruleOf('reddit.client')]
  let token: Token | null = null

  /** A token that still lasts, asked for where there is none. */
  async function currentToken(ctx: ConnectorContext): Promise<string> {
    if (token !== null && token.untilMs > Date.now()) return token.value
    const askedAtMs = Date.now()
    const answer = await callPlatform(ctx, {
      url: `${siteUrl}/api/v1/access_token`,
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${app.id}:${app.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      operation: 'token.grant',
      rules: rules(),
      userAgent,
    })
    const grant = Grant.safeParse(answer.json).data
    if (isData(answer) && grant !== undefined) {
      token = { value: grant.access_token, untilMs: askedAtMs + grant.expires_in * 1_000 - RENEW_BEFORE_MS }
      return token.value
    }
    // It refuses with a success, too, and says why in the body.
    const isRefused = answer.status === 400 || (isData(answer) && GrantRefusal.safeParse(answer.json).success)
    throw isRefused ? badApp(answer.status) : redditFailure(answer)
  }

  async function ask(ctx: ConnectorContext, call: RedditCall): Promise<PlatformAnswer> {
    const accessToken = await currentToken(ctx)
    const url = new URL(`${apiUrl}${call.path}`)
    // Without it, `<`, `>` and `&` come as HTML entities.
    const parameters = { ...call.parameters, raw_json: '1' }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    const { operation, items } = call
    const answer = await callPlatform(ctx, {
      url: url.href,
      operation,
      items,
      rules: rules(),
      userAgent,
      accessToken,
    })
    // Another call may have renewed it meanwhile.
    if (answer.status === 401 && token?.value === accessToken) token = null
    return answer
  }

  return async (ctx, call) => {
    let answer = await ask(ctx, call)
    // Revoked, or from before the app was changed: once more with a new one.
    if (answer.status === 401) answer = await ask(ctx, call)
    if (isData(answer)) return answer.json
    throw redditFailure(answer)
  }
}
