import {
  type CallOperation,
  type CallOutcome,
  type ConnectorContext,
  type PaidRead,
  PlatformError,
  type RateLimitRule,
  type RateSignal,
} from '../../ports.ts'

const MAX_RETRY_MS = 86_400_000
const MIN_RETRY_MS = 1_000
/** When a platform says "too many" and not until when. */
const DEFAULT_RETRY_MS = 60_000
/** Numbers below this are seconds to wait, those above it seconds since 1970. */
const FIRST_EPOCH_SECONDS = 1_000_000_000

export interface PlatformRequest {
  url: string
  method?: 'GET' | 'POST'
  /** Beside those that every call has. */
  headers?: Record<string, string>
  /** A form is sent as one, text as it is (say what it is in `headers`). */
  body?: URLSearchParams | string
  operation: CallOperation
  /** How many things are asked for: ids, or the size of a page; 1 by default. */
  items?: number
  /** The instance, where the platform has many. */
  server?: string
  /** Every allowance that the call counts against; the answer's headers speak of the first. */
  rules: RateLimitRule[]
  userAgent: string
  /** For the address's host alone: the guarded fetch takes it from what it sends elsewhere. */
  accessToken?: string
  /** The most that the call can cost, in millionths of a dollar. */
  mostCostMicros?: number
  /** What an answer has to be paid for. */
  paidReads?: (json: unknown) => PaidRead[]
  /** What the platform's headers say of its limit, where they are not the usual ones. */
  readSignal?: (headers: Headers) => RateSignal | null
  /** For how long the platform asks us not to call, where it says so otherwise than with status 429. */
  readRefusalMs?: (answer: PlatformAnswer) => number | null
}

/** A platform's answer, read to its end. */
export interface PlatformAnswer {
  status: number
  headers: Headers
  /** Where it came from, after redirects. */
  url: URL
  /** The JSON of the body; `undefined` when the body is none. */
  json: unknown
  /** The body is a page for people: of a proxy, a parked domain, or of software that has no such API. */
  isHtml: boolean
}

/**
 * Takes a call from all that limits it, makes it and reads its answer, whatever its status; how it went is
 * accounted for. Throws `PlatformError` only.
 */
export async function callPlatform(ctx: ConnectorContext, request: PlatformRequest): Promise<PlatformAnswer> {
  const { host } = new URL(request.url)
  const call = await orTransient(
    ctx.admit({
      operation: request.operation,
      server: request.server ?? null,
      rules: request.rules,
      items: request.items ?? 1,
      mostCostMicros: request.mostCostMicros ?? 0,
    }),
    `The allowance for calls to ${host} could not be read.`,
  )
  const outcome: CallOutcome = {
    health: 'failed',
    status: null,
    signal: null,
    retryAfterMs: null,
    paid: [],
    body: undefined,
  }
  try {
    const answer = await ask(ctx, request, host)
    const { status } = answer
    outcome.status = status
    outcome.body = answer.json
    // A page instead of data comes from somebody in front of the platform, unless it says "no such thing".
    const isData = answer.json !== undefined || [404, 405, 406, 410].includes(status)
    outcome.health = status < 500 && isData ? 'ok' : 'failed'
    outcome.signal = (request.readSignal ?? readRateSignal)(answer.headers)
    outcome.retryAfterMs =
      request.readRefusalMs?.(answer) ??
      (status === 429 ? (readRetryAfterMs(answer.headers) ?? DEFAULT_RETRY_MS) : null)
    if (outcome.retryAfterMs !== null) outcome.health = 'ok'
    else if (status >= 500 && answer.headers.has('retry-after'))
      outcome.retryAfterMs = readRetryAfterMs(answer.headers)
    if (status >= 200 && status < 300) outcome.paid = paidFor(request, answer)
    return answer
  } catch (error) {
    if (isTimeout(error)) outcome.health = 'timeout'
    throw error
  } finally {
    call.settle(outcome)
  }
}

/** What an answer costs: where it holds something that cannot be read, all that it could have. */
function paidFor({ mostCostMicros = 0, paidReads }: PlatformRequest, { json }: PlatformAnswer): PaidRead[] {
  if (json === undefined && mostCostMicros > 0)
    return [{ object: `unreadable:${crypto.randomUUID()}`, costMicros: mostCostMicros }]
  return paidReads?.(json) ?? []
}

async function ask(ctx: ConnectorContext, request: PlatformRequest, host: string): Promise<PlatformAnswer> {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': request.userAgent }
  if (request.accessToken !== undefined) headers.authorization = `Bearer ${request.accessToken}`
  const init: RequestInit = { headers: { ...headers, ...request.headers } }
  if (request.method === 'POST') init.method = 'POST'
  if (request.body !== undefined) init.body = request.body
  const response = await orTransient(ctx.fetch(request.url, init), `${host} could not be reached.`)
  const text = await orTransient(response.text(), `The answer of ${host} broke off.`)
  const json = parseJson(text)
  const isPage = /\bhtml\b/iu.test(response.headers.get('content-type') ?? '') || /^\s*</u.test(text)
  return {
    status: response.status,
    headers: response.headers,
    url: new URL(response.url === '' ? request.url : response.url),
    json,
    isHtml: json === undefined && isPage,
  }
}

function isTimeout(error: unknown): boolean {
  const cause = error instanceof PlatformError ? error.cause : error
  return cause instanceof Error && cause.name === 'TimeoutError'
}

async function orTransient<T>(promise: Promise<T>, message: string): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause
    throw new PlatformError('transient', message, { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text)
    return json
  } catch {
    return undefined
  }
}

function readCount(value: string | null): number | null {
  if (value === null || value.trim() === '') return null
  const count = Number(value)
  return Number.isFinite(count) ? Math.max(0, Math.floor(count)) : null
}

/** Milliseconds since 1970 of a moment given as a date, as seconds since 1970, or as seconds from now. */
function readMoment(value: string | null): number | null {
  const seconds = readCount(value)
  if (seconds !== null) return seconds < FIRST_EPOCH_SECONDS ? Date.now() + seconds * 1_000 : seconds * 1_000
  const moment = Date.parse(value ?? '')
  return Number.isNaN(moment) ? null : moment
}

/** What the `RateLimit-*` or `X-RateLimit-*` headers say; `null` when there are none that make sense. */
export function readRateSignal(headers: Headers): RateSignal | null {
  const read = (name: string): string | null =>
    headers.get(`ratelimit-${name}`) ?? headers.get(`x-ratelimit-${name}`)
  const signal: RateSignal = {
    limit: readCount(read('limit')),
    remaining: readCount(read('remaining')),
    resetAtMs: readMoment(read('reset')),
  }
  return Object.values(signal).every((value) => value === null) ? null : signal
}

/** How long a refused caller should wait, from `Retry-After` or the limit's reset: between 1 s and a day. */
export function readRetryAfterMs(headers: Headers): number | null {
  const retryAtMs = readMoment(headers.get('retry-after')) ?? readRateSignal(headers)?.resetAtMs ?? null
  if (retryAtMs === null) return null
  return Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, retryAtMs - Date.now()))
}

/** A platform's own words, fit to be shown: short, and on one line. */
export function shorten(message: string): string {
  const line = message.replace(/[\s\p{C}]+/gu, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}

/**
 * The error of an answer that is no success, or no JSON, by what its status means everywhere. `who` begins
 * the sentences; `said` is the platform's own message, where it gave one. What a status means on one
 * platform only, its connector decides before it asks here.
 */
export function failureOf(answer: PlatformAnswer, who: string, said?: string): PlatformError {
  const { status } = answer
  const retryAfterMs = readRetryAfterMs(answer.headers)
  const options = retryAfterMs === null ? { status } : { status, retryAfterMs }
  const quoted = said === undefined ? '' : `: ${shorten(said)}`
  if (status === 429)
    return new PlatformError('rate_limited', `${who} asks us to call less often.`, {
      status,
      retryAfterMs: retryAfterMs ?? DEFAULT_RETRY_MS,
    })
  if (status >= 500 || status === 408 || status === 425)
    return new PlatformError('transient', `${who} is out of order at the moment (HTTP ${status}).`, options)
  if (status === 401) return new PlatformError('auth', `${who} asks for a credential${quoted}.`, { status })
  // A platform's own refusals are JSON: this is somebody else's, and says nothing of accounts and posts.
  if (answer.isHtml || (status >= 400 && answer.json === undefined))
    return new PlatformError(
      'transient',
      `${who} answered with a page instead of data (HTTP ${status}).`,
      options,
    )
  if (status === 403)
    return new PlatformError('permission', `${who} does not allow this${quoted}.`, { status })
  if (status === 404 || status === 410)
    return new PlatformError('gone', `${who} does not have this${quoted}.`, { status })
  if (status >= 400)
    return new PlatformError('bad_request', `${who} refused the request${quoted}.`, { status })
  return new PlatformError('bad_answer', `The answer of ${who} could not be understood (HTTP ${status}).`, {
    status,
  })
}

/** Whether the answer is a success with JSON in it. */
export function isData(answer: PlatformAnswer): boolean {
  return answer.status >= 200 && answer.status < 300 && answer.json !== undefined
}
