import * as z from 'zod'
import { type CallOperation, type ConnectorContext, PlatformError } from '../../ports.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { OAuthApp } from './index.ts'
import type { RuleOf } from './limits.ts'
import { graphErrorOf, metaFailure, readThrottlingMs, readUsage } from './meta-failure.ts'

export const THREADS_API_URL = 'https://graph.threads.net'
export const THREADS_SITE_URL = 'https://threads.net'
export const WHO = 'Threads'
const VERSION = 'v1.0'
/** Calls that are made before it is known whose they are share an allowance of their own. */
const NOBODY_YET = 'sign-in'

export interface ThreadsOptions {
  app: OAuthApp
  /** Base address of the API, without a slash at the end. */
  apiUrl: string
  /** Base address of the pages that people sign in on; Threads' own by default. */
  siteUrl?: string | undefined
  userAgent: string
  ruleOf: RuleOf
}

interface ThreadsCall {
  /** Within the versioned API, its parts encoded: `26…/threads`. */
  path: string
  parameters: Record<string, string>
  operation: CallOperation
  items?: number
  /** Whose allowance it counts against; none while that is not known. */
  account?: string | undefined
  token: string
}

interface ThreadsTokenCall {
  /** Outside of the versioned API: `oauth/access_token`. */
  path: string
  /** Sent as a form, or in the address where Threads takes nothing else. */
  form?: Record<string, string>
  parameters?: Record<string, string>
  operation: CallOperation
}

export interface ThreadsApi {
  readonly host: string
  /** The token of a context that is for Threads; throws `auth` when it has none. */
  tokenOf(ctx: ConnectorContext): string
  /** Makes one call with a token and gives its answer whatever its status. */
  ask(ctx: ConnectorContext, call: ThreadsCall): Promise<PlatformAnswer>
  /** The same, and reads the data of a success; throws the error of any other answer. */
  read<T>(ctx: ConnectorContext, call: ThreadsCall, schema: z.ZodType<T>): Promise<T>
  /** Asks for a token. Whatever is wrong with what it is asked with is an `auth` error. */
  requestToken(ctx: ConnectorContext, call: ThreadsTokenCall): Promise<ThreadsToken>
}

const ThreadsToken = z.object({
  access_token: z.string().min(1),
  /** Seconds. */
  expires_in: z.number().positive().nullable().catch(null),
})
export type ThreadsToken = z.infer<typeof ThreadsToken>

/** The data of a success; throws the error of any other answer. */
export function threadsData<T>(answer: PlatformAnswer, schema: z.ZodType<T>): T {
  if (!isData(answer) || graphErrorOf(answer.json) !== null) throw metaFailure(answer, WHO)
  const data = schema.safeParse(answer.json)
  if (data.success) return data.data
  throw new PlatformError('bad_answer', `The answer of ${WHO} could not be understood.`, {
    cause: data.error,
  })
}

/** Nothing of the answer is quoted: it might repeat what it was asked with. */
function tokenFailure(answer: PlatformAnswer): PlatformError {
  const failure = graphErrorOf(answer.json) === null ? failureOf(answer, WHO) : metaFailure(answer, WHO)
  if (failure.retryable || failure.kind === 'auth') return failure
  return new PlatformError('auth', `${WHO} does not accept the sign-in: sign in again.`, {
    status: answer.status,
  })
}

/** Calls the API of Threads, where a token reads what is its owner's. */
export function createThreadsApi(options: ThreadsOptions): ThreadsApi {
  const { apiUrl, userAgent, ruleOf } = options
  const { host } = new URL(apiUrl)

  const common = (account?: string) => {
    const rule = ruleOf('threads.account', account ?? NOBODY_YET)
    return {
      rules: [rule],
      userAgent,
      readSignal: (headers: Headers) => readUsage(headers, rule.limit),
      readRefusalMs: readThrottlingMs,
    }
  }

  const ask: ThreadsApi['ask'] = (ctx, { path, parameters, operation, items = 1, account, token }) => {
    const url = new URL(`${apiUrl}/${VERSION}/${path}`)
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return callPlatform(ctx, { ...common(account), url: url.href, operation, items, accessToken: token })
  }

  return {
    host,

    tokenOf(ctx) {
      if (ctx.accessToken?.host === host) return ctx.accessToken.value
      throw new PlatformError('auth', `${WHO} shows an account to its owner alone: connect it by signing in.`)
    },

    ask,

    async read(ctx, call, schema) {
      return threadsData(await ask(ctx, call), schema)
    },

    async requestToken(ctx, { path, form, parameters = {}, operation }) {
      const url = new URL(`${apiUrl}/${path}`)
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      const answer = await callPlatform(ctx, {
        ...common(),
        url: url.href,
        operation,
        ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
      })
      if (!isData(answer) || graphErrorOf(answer.json) !== null) throw tokenFailure(answer)
      return threadsData(answer, ThreadsToken)
    },
  }
}
