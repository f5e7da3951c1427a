import { type Answer, ApiError, type Call, createCall } from './call.ts'
import { limitedBody, malformed, OUTAGE_NAMES, OUTAGE_PAGE, truncated, waitOut } from './faults.ts'
import { drawImage } from './images.ts'
import type { ActiveFault } from './overlay.ts'
import type { RateLimitState } from './rate-limits.ts'
import type { Stats } from './stats.ts'
import type { PlatformName } from './types.ts'
import type { World } from './world.ts'

export { type Answer, ApiError, bearerOf, type Call } from './call.ts'

/** Answers one request; any clock, no server needed. */
export type WebHandler = (request: Request) => Promise<Response>

/** What differs between platforms. */
export interface PlatformBehaviour {
  platform: PlatformName
  route(call: Call): Answer
  /** The rules that a request counts against; the states of all of them, in any order. */
  limit(call: Call, client: string, squeezedLimit: number | undefined): RateLimitState[]
  limitHeaders(states: readonly RateLimitState[], t: number): Record<string, string>
  errorBody(error: ApiError): unknown
  /** What a call over a limit is answered with; 429 by default. Its violation is counted by the handler. */
  refusal?(state: RateLimitState, call: Call): ApiError
}

const MAX_BODY_BYTES = 1_000_000
const BURST_WINDOW_MS = 60_000

/** Puts faults, rate limits, error answers and statistics around a platform's routes. Never rejects. */
export function createPlatformHandler(
  behaviour: PlatformBehaviour,
  world: World,
  now: () => number,
  stats: Stats,
): WebHandler {
  const { platform } = behaviour

  const refused = (call: Call, states: readonly RateLimitState[]): ApiError | undefined => {
    const exceeded = states.find((state) => state.isExceeded)
    if (!exceeded) return undefined
    return (
      behaviour.refusal?.(exceeded, call) ?? new ApiError(429, 'RateLimitExceeded', 'Rate Limit Exceeded')
    )
  }

  const statesOf = (call: Call, faults: readonly ActiveFault[]): RateLimitState[] => {
    const squeezes = faults.flatMap((fault) => (fault.kind === 'squeeze' ? [fault.limit] : []))
    const squeezedLimit = squeezes.length > 0 ? Math.min(...squeezes) : undefined
    const states = behaviour.limit(call, clientOf(call.request), squeezedLimit)
    if (states.some((state) => state.isExceeded)) call.endpoint = 'refused'
    const burst = faults.find((fault) => fault.kind === 'burst429')
    if (burst) {
      call.endpoint = 'refused'
      return burstStates(states, burst.untilAt, call.t)
    }
    for (const state of states) {
      stats.usage(state)
      if (state.isExceeded) call.note('rate_limited', `${state.rule.name}: ${call.url.pathname}`)
    }
    return states
  }

  const answer = (call: Call, faults: readonly ActiveFault[]): Response => {
    let limitHeaders: Record<string, string> = {}
    try {
      const states = statesOf(call, faults)
      limitHeaders = behaviour.limitHeaders(states, call.t)
      const refusal = refused(call, states)
      if (refusal) throw refusal
      return toResponse(behaviour.route(call), limitHeaders)
    } catch (error) {
      const known = error instanceof ApiError ? error : unexpected(error)
      if (known.violation) call.note(known.violation, known.message)
      return toResponse({ status: known.status, body: behaviour.errorBody(known) }, limitHeaders)
    }
  }

  const outage = (fault: Extract<ActiveFault, { kind: 'outage' }>): Response => {
    const { status, isHtml } = fault
    stats.call({ endpoint: 'outage', status, ids: 0, batchMax: 0 })
    if (isHtml) return toResponse({ status, text: OUTAGE_PAGE, contentType: 'text/html' }, {})
    const error = new ApiError(status, OUTAGE_NAMES[status] ?? 'UpstreamFailure', 'Service Unavailable')
    return toResponse({ status, body: behaviour.errorBody(error) }, {})
  }

  return async (request) => {
    const url = new URL(request.url)
    const t = now()
    if (url.pathname.startsWith('/media/')) return drawImage(url.pathname)
    const faults = world.faultsOf(platform, url.pathname, t)
    await waitOut(faults, request.signal)
    const down = faults.find((fault) => fault.kind === 'outage')
    if (down) return outage(down)
    const body = await limitedBody(request, MAX_BODY_BYTES)
    if (body === undefined) {
      const error = new ApiError(413, 'PayloadTooLarge', 'The body is too large')
      return toResponse({ status: error.status, body: behaviour.errorBody(error) }, {})
    }
    const call = createCall({ request, url, t, body }, (kind, endpoint, detail) =>
      stats.violation({ at: t, kind, endpoint, detail }),
    )
    const response = answer(call, faults)
    stats.call({ endpoint: call.endpoint, status: response.status, ids: call.ids, batchMax: call.batchMax })
    if (faults.some((fault) => fault.kind === 'truncate')) return truncated(response)
    return faults.some((fault) => fault.kind === 'malform') ? malformed(response) : response
  }
}

/** The platforms count by address, and tokens apart. */
function clientOf(request: Request): string {
  const token = request.headers.get('authorization')
  if (token?.startsWith('Bearer ')) return token
  return request.headers.get('x-forwarded-for')?.split(',')[0]?.trim() ?? 'local'
}

/** The platform's own rules as they look when nothing is left of them. */
function burstStates(states: readonly RateLimitState[], untilAt: number, t: number): RateLimitState[] {
  const limit = 1
  const burst: RateLimitState = {
    rule: { name: 'burst', limit, windowMs: BURST_WINDOW_MS, anchor: 'clock' },
    limit,
    used: limit + 1,
    remaining: 0,
    resetAt: t,
    isExceeded: true,
  }
  return (states.length > 0 ? states : [burst]).map((state) => ({
    ...state,
    used: Math.max(state.used, state.limit + 1),
    remaining: 0,
    resetAt: untilAt,
    isExceeded: true,
  }))
}

function unexpected(error: unknown): ApiError {
  console.error('platform simulator:', error)
  return new ApiError(500, 'InternalServerError', 'Internal Server Error')
}

function toResponse(answer: Answer, limitHeaders: Record<string, string>): Response {
  const { status = 200, body, text, contentType = 'application/json; charset=utf-8', headers } = answer
  const sent = text ?? JSON.stringify(body)
  return new Response(isBodiless(status) ? null : sent, {
    status,
    headers: { 'content-type': contentType, 'access-control-allow-origin': '*', ...limitHeaders, ...headers },
  })
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304
}
