import * as z from 'zod'
import { PlatformError, type RateSignal } from '../../ports.ts'
import { failureOf, type PlatformAnswer } from './http.ts'

const GraphErrorBody = z.object({
  error: z.object({
    code: z.int().catch(0),
    error_subcode: z.int().nullable().catch(null),
    is_transient: z.boolean().catch(false),
  }),
})

/** What the Graph API says of a failure; its message may carry a token, and is not read. */
export interface GraphError {
  code: number
  subcode: number | null
  isTransient: boolean
}

const UsageShares = z.object({
  call_count: z.number().catch(0),
  total_time: z.number().catch(0),
  total_cputime: z.number().catch(0),
  estimated_time_to_regain_access: z.number().catch(0),
})
type UsageShares = z.infer<typeof UsageShares>

/** The app, its users, pages, and whatever else is counted for itself: too many calls. */
const THROTTLED: ReadonlySet<number> = new Set([4, 17, 32, 341, 613])
const [FIRST_USE_CASE_LIMIT, LAST_USE_CASE_LIMIT] = [80_000, 80_014]
/** The app is stopped for a while for what it did. */
const BLOCKED = 368
const OBJECT_ABSENT = 33
const NO_PROFESSIONAL_ACCOUNT = 2_207_013

const MINUTE_MS = 60_000
const DEFAULT_WAIT_MS = 5 * MINUTE_MS
const LONGEST_WAIT_MS = 60 * MINUTE_MS
/** From this share of an allowance on, in per cent, nobody calls until it has recovered. */
const HIGH_SHARE = 80

/** The error of an answer, whatever its status; `null` where it is none. */
export function graphErrorOf(json: unknown): GraphError | null {
  const error = GraphErrorBody.safeParse(json).data?.error
  if (error === undefined) return null
  return { code: error.code, subcode: error.error_subcode, isTransient: error.is_transient }
}

function isThrottling({ code }: GraphError): boolean {
  return THROTTLED.has(code) || (code >= FIRST_USE_CASE_LIMIT && code <= LAST_USE_CASE_LIMIT)
}

/** Whether the error speaks of rights that the app or its user lacks. */
export function isRightsError({ code }: GraphError): boolean {
  return code === 3 || code === 10 || (code >= 200 && code <= 299)
}

/** Whether the error speaks of a field or metric that there is not, rather than of an object. */
export function isParameterError({ code, subcode }: GraphError): boolean {
  return code === 100 && subcode !== OBJECT_ABSENT
}

function isAbsence({ code, subcode }: GraphError): boolean {
  if (code === 100) return subcode === OBJECT_ABSENT
  return code === 803 || (code === 110 && subcode === NO_PROFESSIONAL_ACCOUNT)
}

/** What became of a token that is refused, for the person who has to sign in again. */
const TOKEN_ENDS: Readonly<Record<number, string>> = {
  458: 'the app was removed there',
  459: 'Facebook asks its user to confirm something there first',
  460: 'its user has changed the password',
  463: 'it has ended',
  464: 'Facebook asks its user to confirm something there first',
  467: 'it was withdrawn',
  492: 'its user no longer has a role on the page',
}

/**
 * The error of an answer by the Graph API's codes, which count for more than its status. `who` begins the
 * sentences.
 */
export function metaFailure(answer: PlatformAnswer, who: string): PlatformError {
  const { status } = answer
  const error = graphErrorOf(answer.json)
  if (error === null) return failureOf(answer, who)
  const named = error.subcode === null ? `code ${error.code}` : `code ${error.code}, subcode ${error.subcode}`
  if (error.code === BLOCKED)
    return new PlatformError('rate_limited', `${who} has blocked our app for a while (${named}).`, {
      status,
      retryAfterMs: LONGEST_WAIT_MS,
    })
  if (isThrottling(error))
    return new PlatformError('rate_limited', `${who} asks us to call less often (${named}).`, {
      status,
      retryAfterMs: waitMs(answer.headers),
    })
  if (error.code === 190 || error.code === 102) {
    const reason = TOKEN_ENDS[error.subcode ?? 0]
    const why = reason === undefined ? '' : `: ${reason}`
    return new PlatformError('auth', `${who} no longer accepts the sign-in${why}. Sign in again.`, { status })
  }
  if (error.isTransient || error.code === 1 || error.code === 2)
    return new PlatformError('transient', `${who} is out of order at the moment (${named}).`, { status })
  if (isRightsError(error))
    return new PlatformError('permission', `${who} does not let us read this (${named}).`, { status })
  if (isAbsence(error))
    return new PlatformError('gone', `${who} does not have this, or no longer shows it to us.`, { status })
  if (status >= 400 && status < 500 && ![401, 403, 404, 410, 429].includes(status))
    return new PlatformError('bad_request', `${who} refused the request (${named}).`, { status })
  return failureOf(answer, who)
}

/** Shares of all allowances that the answer's headers speak of. */
function usageOf(headers: Headers): UsageShares[] {
  const app = parseHeader(headers.get('x-app-usage'))
  const businesses = z
    .record(z.string(), z.array(z.unknown()))
    .safeParse(parseHeader(headers.get('x-business-use-case-usage')))
  return [app, ...Object.values(businesses.data ?? {}).flat()].flatMap(
    (entry) => UsageShares.safeParse(entry).data ?? [],
  )
}

function parseHeader(text: string | null): unknown {
  try {
    const json: unknown = JSON.parse(text ?? 'null')
    return json
  } catch {
    return null
  }
}

/** How long to wait by the headers' own estimate (minutes): at least 1 min, at most 1 h; 5 min without one. */
function waitMs(headers: Headers): number {
  const minutes = Math.max(0, ...usageOf(headers).map((usage) => usage.estimated_time_to_regain_access))
  if (minutes === 0) return DEFAULT_WAIT_MS
  return Math.min(LONGEST_WAIT_MS, Math.max(MINUTE_MS, Math.ceil(minutes) * MINUTE_MS))
}

/**
 * What the usage headers say, in calls of an allowance of `limit`: they tell the shares used of several, in
 * per cent, of which the highest counts. When that is high, none are left until it has recovered.
 */
export function readUsage(headers: Headers, limit: number): RateSignal | null {
  const usages = usageOf(headers)
  if (usages.length === 0) return null
  const highest = Math.max(
    0,
    ...usages.flatMap((usage) => [usage.call_count, usage.total_time, usage.total_cputime]),
  )
  const waits = usages.some((usage) => usage.estimated_time_to_regain_access > 0)
  if (highest >= HIGH_SHARE || waits)
    return { limit: null, remaining: 0, resetAtMs: Date.now() + waitMs(headers) }
  return { limit: null, remaining: Math.floor((limit * (100 - highest)) / 100), resetAtMs: null }
}

const BatchBodies = z.array(z.object({ body: z.string() }).nullable().catch(null))

/**
 * For how long an answer asks us not to call. The Graph API says so by codes, mostly with status 400, and
 * within the answer to a batch by the codes of single requests.
 */
export function readThrottlingMs(answer: PlatformAnswer): number | null {
  const bodies = BatchBodies.safeParse(answer.json).data
  const answers = bodies === undefined ? [answer.json] : bodies.map((item) => parseHeader(item?.body ?? null))
  const errors = answers.flatMap((json) => graphErrorOf(json) ?? [])
  if (errors.some(({ code }) => code === BLOCKED)) return LONGEST_WAIT_MS
  return errors.some(isThrottling) ? waitMs(answer.headers) : null
}
