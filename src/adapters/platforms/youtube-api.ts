import * as z from 'zod'
import { periodOf, today } from '../../domain/periods.ts'
import { type CallOperation, type ConnectorContext, PlatformError } from '../../ports.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'

export const WHO = 'YouTube'
/** The quota's day begins and ends there. */
const QUOTA_TIMEZONE = 'America/Los_Angeles'
/** Asked to go slower, for a quota that is counted by the minute. */
const SLOW_DOWN_MS = 60_000
/** How soon to look whether the operator has put the key in order. */
const OPERATOR_RETRY_MS = 3_600_000

export interface YoutubeApiOptions {
  app: { apiKey: string }
  /** Without a slash at the end. */
  apiUrl: string
  userAgent: string
  ruleOf: RuleOf
}

interface YoutubeCall {
  /** `channels`, `playlistItems` or `videos`. */
  resource: string
  parameters: Record<string, string>
  operation: CallOperation
  /** How many ids, or the size of the page. */
  items: number
}

/** Makes a list call, which costs one unit, and gives what it answers. */
type YoutubeApi = (ctx: ConnectorContext, call: YoutubeCall) => Promise<YoutubePage>

/** What a list call answers; where nothing is found, `items` may be missing. */
const Page = z.object({
  items: z
    .array(z.unknown())
    .nullish()
    .transform((items) => items ?? []),
  nextPageToken: z.string().nullish(),
})
type YoutubePage = z.infer<typeof Page>
const NOTHING: YoutubePage = { items: [], nextPageToken: null }

const Reasons = z.array(z.object({ reason: z.string().catch('') })).catch([])
const ErrorBody = z.object({
  error: z.object({ errors: Reasons, details: Reasons }),
})

const QUOTA_SPENT = ['quotaExceeded', 'dailyLimitExceeded']
const TOO_FAST = ['rateLimitExceeded', 'userRateLimitExceeded']
const BAD_KEY = [
  'API_KEY_INVALID',
  'API_KEY_SERVICE_BLOCKED',
  'API_KEY_IP_ADDRESS_BLOCKED',
  'SERVICE_DISABLED',
  'accessNotConfigured',
  'authError',
  'ipRefererBlocked',
  'keyExpired',
  'keyInvalid',
]
const CLOSED = [
  'authenticatedUserAccountClosed',
  'authenticatedUserAccountSuspended',
  'channelClosed',
  'channelSuspended',
]

/** Why YouTube refuses, in its own words for it; the newer ones stand in `details`. */
function reasonsOf(answer: PlatformAnswer): string[] {
  const error = ErrorBody.safeParse(answer.json).data?.error
  return [...(error?.errors ?? []), ...(error?.details ?? [])].map(({ reason }) => reason)
}

function hasReason(answer: PlatformAnswer, known: readonly string[]): boolean {
  return reasonsOf(answer).some((reason) => known.includes(reason))
}

/** For how long not to call, where the answer says that the quota is used up; with a 403, not a 429. */
function refusalMs(answer: PlatformAnswer): number | null {
  if (answer.status !== 403 && answer.status !== 429) return null
  if (hasReason(answer, QUOTA_SPENT)) return nextQuotaDayMs(Date.now()) - Date.now()
  return hasReason(answer, TOO_FAST) ? SLOW_DOWN_MS : null
}

/** When the day of the quota that `nowMs` lies in ends, which has 23 or 25 hours when the clocks change. */
function nextQuotaDayMs(nowMs: number): number {
  const day = today(QUOTA_TIMEZONE, nowMs)
  return Date.parse(periodOf(day, day, QUOTA_TIMEZONE).end)
}

/** Its messages are not quoted: they are about keys and projects, and marked up in HTML. */
function youtubeFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  const retryAfterMs = refusalMs(answer)
  if (retryAfterMs !== null) {
    const message = hasReason(answer, QUOTA_SPENT)
      ? 'The daily quota of the YouTube API key is used up; it is renewed at midnight Pacific time.'
      : `${WHO} asks us to call less often.`
    return new PlatformError('rate_limited', message, { status, retryAfterMs })
  }
  // Every account's calls fail, and go on by themselves when the operator has mended it.
  if (status === 401 || (status < 500 && hasReason(answer, BAD_KEY)))
    return new PlatformError('auth', 'YouTube does not accept the API key of this deployment.', {
      status,
      retryAfterMs: OPERATOR_RETRY_MS,
    })
  if (hasReason(answer, CLOSED))
    return new PlatformError('gone', 'This channel is closed or suspended on YouTube.', { status })
  // No method of ours has another 404: this is not the address of the API.
  if (status === 404 && !answer.isHtml)
    return new PlatformError('bad_answer', 'YouTube does not know this call (HTTP 404).', { status })
  return failureOf(answer, WHO)
}

/** Calls the YouTube Data API with the deployment's key, which reads what is public. */
export function createYoutubeApi({ app, apiUrl, userAgent, ruleOf }: YoutubeApiOptions): YoutubeApi {
  return async (ctx, { resource, parameters, operation, items }) => {
    const url = new URL(`${apiUrl}/youtube/v3/${resource}`)
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    const answer = await callPlatform(ctx, {
      url: url.href,
      // Not in the address, which ends up in logs.
      headers: { 'x-goog-api-key': app.apiKey },
      operation,
      items,
      rules: [ruleOf('youtube.units')],
      userAgent,
      // It has no headers for this.
      readSignal: () => null,
      readRefusalMs: refusalMs,
    })
    // Of a channel without videos, or of one that is itself no more: which of them, its profile tells.
    if (hasReason(answer, ['playlistNotFound'])) return NOTHING
    if (!isData(answer)) throw youtubeFailure(answer)
    const page = Page.safeParse(answer.json)
    if (page.success) return page.data
    throw new PlatformError('bad_answer', `The answer of ${WHO} to ${resource} could not be understood.`, {
      cause: page.error,
    })
  }
}
