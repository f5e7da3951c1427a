import * as z from 'zod'
import { type CallOperation, type ConnectorContext, PlatformError } from '../../ports.ts'
import { readNoting } from './entries.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'

export const TIKTOK_API_URL = 'https://open.tiktokapis.com'
export const WHO = 'TikTok'
/** Its window slides, and no header says how full it is. */
const WINDOW_MS = 60_000

export interface TikTokApiOptions {
  /** Base address of the API, without a slash at the end. */
  apiUrl: string
  userAgent: string
  ruleOf: RuleOf
}

interface TikTokCall {
  /** Each has an allowance of its own. */
  endpoint: 'user/info' | 'video/list' | 'video/query'
  fields: string
  /** Sent as JSON. */
  body?: Record<string, unknown>
  operation: CallOperation
  items?: number
  token: string
}

export interface TikTokApi {
  readonly host: string
  /** The token of a context that is for TikTok; throws `auth` when it has none. */
  tokenOf(ctx: ConnectorContext): string
  /** Makes a call and reads the `data` of its success; throws the error of any other answer. */
  read<T>(ctx: ConnectorContext, call: TikTokCall, schema: z.ZodType<T>): Promise<T>
  /** Asks for tokens. A code or token that is no good is an `auth` error. */
  requestToken(
    ctx: ConnectorContext,
    form: Record<string, string>,
    operation: CallOperation,
  ): Promise<TikTokToken>
}

/** Every answer has an error; that of a success says `ok`. */
const Envelope = z.object({
  data: z.unknown().optional(),
  error: z.object({ code: z.string(), log_id: z.string().catch('') }),
})

/** What the token endpoint says instead. */
const TokenError = z.object({ error: z.string() })

const Seconds = z.number().positive().nullable().catch(null)
const TikTokToken = z.object({
  access_token: z.string().min(1),
  expires_in: Seconds,
  refresh_token: z.string().min(1).nullable().catch(null),
  refresh_expires_in: Seconds,
  /** Separated by commas. */
  scope: z.string().catch(''),
})
export type TikTokToken = z.infer<typeof TikTokToken>

function errorOf(answer: PlatformAnswer): { code: string; logId: string } {
  const { code, log_id = '' } = Envelope.safeParse(answer.json).data?.error ?? { code: '' }
  return { code, logId: /^\w{1,64}$/u.test(log_id) ? log_id : '' }
}

/** The error of an answer by TikTok's own names, which it quotes none of its words of. */
function tiktokFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  const { code, logId } = errorOf(answer)
  // What its support asks for.
  const log = logId === '' ? '' : ` (log id ${logId})`
  switch (code) {
    case 'access_token_invalid':
      return new PlatformError('auth', `${WHO} no longer lets us read this account: sign in again.`, {
        status,
      })
    case 'scope_not_authorized':
    case 'scope_permission_missed':
      return new PlatformError(
        'permission',
        `The sign-in does not let us read all that is needed: sign in to ${WHO} again and allow everything.`,
        { status },
      )
    case 'rate_limit_exceeded':
      return new PlatformError('rate_limited', `${WHO} asks us to call less often.`, {
        status,
        retryAfterMs: WINDOW_MS,
      })
    case 'internal_error':
      return new PlatformError('transient', `${WHO} is out of order at the moment${log}.`, { status })
    case 'invalid_params':
      return new PlatformError('bad_request', `${WHO} refused the request${log}.`, { status })
  }
  return failureOf(answer, WHO)
}

function tokenFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  switch (TokenError.safeParse(answer.json).data?.error) {
    // Nothing is wrong with anybody's account: it is read again once this is put right.
    case 'invalid_client':
    case 'unauthorized_client':
      return new PlatformError('bad_answer', `${WHO} does not accept this deployment's app.`, { status })
    case 'invalid_grant':
    case 'access_denied':
    case 'invalid_scope':
    case 'invalid_request':
      return new PlatformError('auth', `${WHO} does not accept the sign-in: sign in again.`, { status })
  }
  return tiktokFailure(answer)
}

/** For how long TikTok asks us not to call. */
function readRefusalMs(answer: PlatformAnswer): number | null {
  return answer.status === 429 || errorOf(answer).code === 'rate_limit_exceeded' ? WINDOW_MS : null
}

function understood<T>(json: unknown, schema: z.ZodType<T>, endpoint: string): T {
  const data = schema.safeParse(json)
  if (data.success) return data.data
  throw new PlatformError('bad_answer', `The answer of ${WHO} to ${endpoint} could not be understood.`, {
    cause: data.error,
  })
}

/** Calls TikTok's Display API, where a token reads what is its owner's. */
export function createTikTokApi({ apiUrl, userAgent, ruleOf }: TikTokApiOptions): TikTokApi {
  const { host } = new URL(apiUrl)
  const rulesOf = (endpoint: string) => [ruleOf('tiktok.endpoint', endpoint)]

  return {
    host,

    tokenOf(ctx) {
      if (ctx.accessToken?.host === host) return ctx.accessToken.value
      throw new PlatformError('auth', `${WHO} shows an account to its owner alone: connect it by signing in.`)
    },

    async read(ctx, { endpoint, fields, body, operation, items = 1, token }, schema) {
      const url = new URL(`${apiUrl}/v2/${endpoint}/`)
      url.searchParams.set('fields', fields)
      const answer = await callPlatform(ctx, {
        url: url.href,
        ...(body === undefined
          ? {}
          : {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
        operation,
        items,
        rules: rulesOf(endpoint),
        userAgent,
        accessToken: token,
        readRefusalMs,
      })
      if (!isData(answer)) throw tiktokFailure(answer)
      const { data, error } = understood(answer.json, Envelope, endpoint)
      if (error.code !== 'ok') throw tiktokFailure(answer)
      return readNoting(ctx, data, () => understood(data, schema, endpoint))
    },

    async requestToken(ctx, form, operation) {
      const answer = await callPlatform(ctx, {
        url: `${apiUrl}/v2/oauth/token/`,
        method: 'POST',
        body: new URLSearchParams(form),
        operation,
        rules: rulesOf('oauth/token'),
        userAgent,
        readRefusalMs,
      })
      // Errors may come with status 200.
      if (!isData(answer) || TokenError.safeParse(answer.json).success) throw tokenFailure(answer)
      return understood(answer.json, TikTokToken, 'a sign-in')
    },
  }
}
