import { setTimeout as delay } from 'node:timers/promises'
import { drawImage } from './images.ts'
import type { RateLimitState } from './rate-limits.ts'
import type { Stats, ViolationKind } from './stats.ts'
import type { PlatformName } from './types.ts'
import type { World } from './world.ts'

/** Answers one request; any clock, no server needed. */
export type WebHandler = (request: Request) => Promise<Response>

/** An error that the platform's API knows. `name` matters on Bluesky only. */
export class ApiError extends Error {
  readonly status: number
  /** What the client did wrong, where that is worth counting. */
  readonly violation: ViolationKind | undefined

  constructor(status: number, name: string, message: string, violation?: ViolationKind) {
    super(message)
    this.name = name
    this.status = status
    this.violation = violation
  }
}

/** One request on its way through a platform. */
export interface Call {
  request: Request
  url: URL
  /** `scheme://host:port` under which the client sees the platform. */
  origin: string
  /** The moment of the request, in epoch milliseconds. */
  t: number
  /** The name under which the call is counted; set by the route. */
  endpoint: string
  /** How many ids the call asked for. */
  ids: number
  /** Counts something that the platform lets pass, but a client should not do. */
  note(kind: ViolationKind, detail: string): void
}

export interface Answer {
  status?: number
  body: unknown
  contentType?: string
  headers?: Record<string, string>
}

/** What differs between platforms. */
export interface PlatformBehaviour {
  platform: PlatformName
  route(call: Call): Answer
  /** The rules that a request counts against; the states of all of them, in any order. */
  limit(call: Call, client: string, squeezedLimit: number | undefined): RateLimitState[]
  limitHeaders(states: readonly RateLimitState[], t: number): Record<string, string>
  errorBody(error: ApiError): unknown
}

/** What Bluesky calls them. */
const OUTAGE_NAMES: Record<number, string> = {
  500: 'InternalServerError',
  502: 'UpstreamFailure',
  503: 'NotEnoughResources',
  504: 'UpstreamTimeout',
}

const OUTAGE_PAGE =
  '<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Be right back</h1></body></html>'

/** Puts faults, rate limits, error answers and statistics around a platform's routes. Never rejects. */
export function createPlatformHandler(
  behaviour: PlatformBehaviour,
  world: World,
  now: () => number,
  stats: Stats,
): WebHandler {
  const { platform } = behaviour

  const answer = (call: Call, squeezedLimit: number | undefined): Response => {
    const states = behaviour.limit(call, clientOf(call.request), squeezedLimit)
    for (const state of states) stats.usage(state)
    const limitHeaders = behaviour.limitHeaders(states, call.t)
    const exceeded = states.find((state) => state.isExceeded)
    try {
      if (exceeded) {
        call.endpoint = 'refused'
        call.note('rate_limited', `${exceeded.rule.name}: ${call.url.pathname}`)
        throw new ApiError(429, 'RateLimitExceeded', 'Rate Limit Exceeded')
      }
      const { status = 200, body, contentType, headers } = behaviour.route(call)
      return json(status, body, { ...limitHeaders, ...headers }, contentType)
    } catch (error) {
      const known = error instanceof ApiError ? error : unexpected(error)
      if (known.violation) call.note(known.violation, known.message)
      return json(known.status, behaviour.errorBody(known), limitHeaders)
    }
  }

  return async (request) => {
    const url = new URL(request.url)
    const t = now()
    if (url.pathname.startsWith('/media/')) return drawImage(url.pathname)
    const call: Call = {
      request,
      url,
      origin: url.origin,
      t,
      endpoint: 'unknown',
      ids: 0,
      note: (kind, detail) => stats.violation({ at: t, kind, endpoint: call.endpoint, detail }),
    }
    const faults = world.faultsOf(platform, url.pathname, t)
    for (const fault of faults) {
      // A client that has gone away ends the wait.
      if (fault.kind === 'slow')
        await delay(fault.delayMs, undefined, { signal: request.signal }).catch(() => {})
    }
    const outage = faults.find((fault) => fault.kind === 'outage')
    if (outage) {
      stats.call('outage', outage.status, 0)
      const error = new ApiError(
        outage.status,
        OUTAGE_NAMES[outage.status] ?? 'UpstreamFailure',
        'Service Unavailable',
      )
      return outage.isHtml
        ? new Response(OUTAGE_PAGE, { status: outage.status, headers: { 'content-type': 'text/html' } })
        : json(outage.status, behaviour.errorBody(error), {})
    }
    const squeezes = faults.flatMap((fault) => (fault.kind === 'squeeze' ? [fault.limit] : []))
    const response = answer(call, squeezes.length > 0 ? Math.min(...squeezes) : undefined)
    stats.call(call.endpoint, response.status, call.ids)
    return faults.some((fault) => fault.kind === 'truncate') ? truncated(response) : response
  }
}

/** The platforms count by address, and tokens apart. */
function clientOf(request: Request): string {
  const token = request.headers.get('authorization')
  if (token?.startsWith('Bearer ')) return token
  return request.headers.get('x-forwarded-for')?.split(',')[0]?.trim() ?? 'local'
}

function unexpected(error: unknown): ApiError {
  console.error('platform simulator:', error)
  return new ApiError(500, 'InternalServerError', 'Internal Server Error')
}

function json(
  status: number,
  body: unknown,
  headers: Record<string, string>,
  contentType = 'application/json; charset=utf-8',
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': contentType, 'access-control-allow-origin': '*', ...headers },
  })
}

async function truncated(response: Response): Promise<Response> {
  const body = new Uint8Array(await response.arrayBuffer())
  const headers = new Headers(response.headers)
  return new Response(body.subarray(0, Math.floor(body.length / 2)), { status: response.status, headers })
}
