import * as z from 'zod'
import {
  type AccessToken,
  type CallOperation,
  type ConnectorContext,
  PlatformError,
  type RateLimitRule,
} from '../../ports.ts'
import { callPlatform, isData, type PlatformAnswer } from './http.ts'
import { graphErrorOf, metaFailure, readThrottlingMs, readUsage } from './meta-failure.ts'

export const META_API_URL = 'https://graph.facebook.com'
export const META_SITE_URL = 'https://www.facebook.com'
/** Usable until July 2028 at least; calls without a version would change under our feet. */
export const GRAPH_VERSION = 'v26.0'
/** Most requests in a batch. */
export const GRAPH_BATCH_SIZE = 50

export interface GraphOptions {
  app: { id: string; secret: string }
  /** Base address of the Graph API, without a slash at its end. */
  apiUrl: string
  userAgent: string
  /** Begins the sentences of errors. */
  who: string
}

interface GraphCall {
  operation: CallOperation
  rules: [RateLimitRule, ...RateLimitRule[]]
  items?: number
}

export interface GraphRead extends GraphCall {
  /** Without version and leading slash, its parts encoded. */
  path: string
  parameters: Record<string, string>
  token: string
}

export interface GraphForm extends GraphCall {
  path: string
  form: Record<string, string>
}

export interface GraphBatch extends GraphCall {
  /** Paths with their queries, without version and leading slash: at most `GRAPH_BATCH_SIZE`. */
  requests: readonly string[]
  token: string
}

export interface MetaGraph {
  readonly who: string
  readonly host: string
  /** The token of a context that is for the Graph API; throws `auth` when it has none. */
  tokenOf(ctx: ConnectorContext): string
  /** Makes one call with a token and gives its answer whatever its status. */
  read(ctx: ConnectorContext, call: GraphRead): Promise<PlatformAnswer>
  /** Sends a form that carries its own credentials. */
  send(ctx: ConnectorContext, call: GraphForm): Promise<PlatformAnswer>
  /** Reads many objects; an answer for each request, in their order, `null` where the platform ran out of time. */
  readMany(ctx: ConnectorContext, call: GraphBatch): Promise<(PlatformAnswer | null)[]>
  /** The data of a success; throws the error of any other answer. */
  dataOf<T>(answer: PlatformAnswer, schema: z.ZodType<T>): T
}

const BatchAnswer = z.array(z.object({ code: z.int(), body: z.string() }).nullable())

/** Whether the answer is a success, with data in it. */
export function isGraphData(answer: PlatformAnswer): boolean {
  return isData(answer) && graphErrorOf(answer.json) === null
}

/** Calls the Graph API, which serves Instagram and pages of Facebook alike. */
export function createMetaGraph(options: GraphOptions): MetaGraph {
  const { app, apiUrl, userAgent, who } = options
  const { host } = new URL(apiUrl)
  const proofOf = createProof(app.secret)
  const addressOf = (path: string): URL => new URL(`${GRAPH_VERSION}/${path}`, `${apiUrl}/`)

  const common = ({ operation, items = 1, rules }: GraphCall) => ({
    operation,
    items,
    rules,
    userAgent,
    readSignal: (headers: Headers) => readUsage(headers, rules[0].limit),
    readRefusalMs: readThrottlingMs,
  })

  return {
    who,
    host,

    tokenOf(ctx) {
      const token: AccessToken | undefined = ctx.accessToken
      if (token?.host === host) return token.value
      throw new PlatformError(
        'auth',
        `${who} shows nothing without a sign-in: sign in to connect the account.`,
      )
    },

    async read(ctx, call) {
      const url = addressOf(call.path)
      for (const [name, value] of Object.entries(call.parameters)) url.searchParams.set(name, value)
      url.searchParams.set('appsecret_proof', await proofOf(call.token))
      return callPlatform(ctx, { ...common(call), url: url.href, accessToken: call.token })
    },

    async send(ctx, call) {
      const body = new URLSearchParams(call.form)
      return callPlatform(ctx, { ...common(call), url: addressOf(call.path).href, method: 'POST', body })
    },

    async readMany(ctx, call) {
      const body = new URLSearchParams({
        batch: JSON.stringify(call.requests.map((relative_url) => ({ method: 'GET', relative_url }))),
        include_headers: 'false',
        // A batch has to carry the token in its form, or it is refused.
        access_token: call.token,
        appsecret_proof: await proofOf(call.token),
      })
      const answer = await callPlatform(ctx, {
        ...common(call),
        url: addressOf('').href,
        method: 'POST',
        body,
      })
      if (!isGraphData(answer)) throw metaFailure(answer, who)
      const parsed = BatchAnswer.safeParse(answer.json)
      if (!parsed.success || parsed.data.length !== call.requests.length)
        throw new PlatformError('bad_answer', `The answer of ${who} to a batch could not be understood.`, {
          cause: parsed.error,
        })
      return parsed.data.map((item) => {
        if (item === null) return null
        const json = parseBody(item.body)
        return { status: item.code, headers: answer.headers, url: answer.url, json, isHtml: false }
      })
    },

    dataOf(answer, schema) {
      if (!isGraphData(answer)) throw metaFailure(answer, who)
      const data = schema.safeParse(answer.json)
      if (data.success) return data.data
      throw new PlatformError('bad_answer', `The answer of ${who} could not be understood.`, {
        cause: data.error,
      })
    },
  }
}

function parseBody(body: string): unknown {
  try {
    const json: unknown = JSON.parse(body)
    return json
  } catch {
    return undefined
  }
}

/** What proves that the app itself uses a token: apps can demand it, so that a stolen token is of no use. */
function createProof(secret: string): (token: string) => Promise<string> {
  const encoder = new TextEncoder()
  let key: Promise<CryptoKey> | undefined
  return async (token) => {
    key ??= crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ])
    const proof = await crypto.subtle.sign('HMAC', await key, encoder.encode(token))
    return Array.from(new Uint8Array(proof), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}
