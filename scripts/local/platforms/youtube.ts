import {
  type Answer,
  ApiError,
  type Call,
  createPlatformHandler,
  type WebHandler,
} from './platform-handler.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createStats, type Stats } from './stats.ts'
import type { Account } from './types.ts'
import type { World } from './world.ts'
import { channelView, playlistItemView, videoView } from './youtube-views.ts'

/** The key that the simulated platform knows. */
export const SIMULATED_API_KEY = 'simulated-api-key'

export interface YouTubeLimits {
  /** Units of a key in a day of California. */
  units: number
  /** Calls of a key in a minute. */
  callsAMinute: number
}

const DEFAULT_YOUTUBE_LIMITS: YouTubeLimits = { units: 10_000, callsAMinute: 1_800 }

export interface YouTubeHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<YouTubeLimits>
  stats?: Stats
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const MAX_BATCH = 50
const DEFAULT_PAGE = 5
const BASE = '/youtube/v3/'

/** Reasons that stand in `details`; what the older list calls them says less. */
const DETAILED: Readonly<Record<string, string>> = { API_KEY_INVALID: 'badRequest' }

/** Answers as the YouTube Data API does (`/youtube/v3/...`), from the world as of the handler's clock. */
export function createYouTubeHandler(world: World, options: YouTubeHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats() } = options
  const limits = { ...DEFAULT_YOUTUBE_LIMITS, ...options.limits }
  const minute = createRateLimiter({
    name: 'minute',
    limit: limits.callsAMinute,
    windowMs: MINUTE_MS,
    anchor: 'sliding',
  })
  const day = createRateLimiter({
    name: 'units',
    limit: limits.units,
    windowMs: DAY_MS,
    anchor: 'day',
    timeZone: 'America/Los_Angeles',
  })
  const routes: Record<string, (call: Call) => Answer> = {
    channels: (call) => listChannels(world, call),
    playlistItems: (call) => listPlaylistItems(world, call),
    videos: (call) => listVideos(world, call),
  }

  return createPlatformHandler(
    {
      platform: 'youtube',
      route: (call) => {
        const { pathname } = call.url
        const name = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : ''
        const route = Object.hasOwn(routes, name) ? routes[name] : undefined
        if (!route || call.request.method !== 'GET') throw new ApiError(404, 'notFound', 'Not Found')
        call.endpoint = name
        return route(call)
      },
      // The minute comes first: a burst of refusals is one of those, not the end of the day's quota.
      limit: (call, _client, squeezedLimit) => {
        const key = keyOf(call)
        return [minute.take(key, call.t), day.take(key, call.t, { squeezedLimit })]
      },
      limitHeaders: () => ({}),
      refusal: ({ rule }) =>
        rule.name === 'units'
          ? new ApiError(
              403,
              'quotaExceeded',
              'The request cannot be completed because you have exceeded your <a href="/youtube/v3/getting-started#quota">quota</a>.',
            )
          : new ApiError(403, 'rateLimitExceeded', 'Quota exceeded for quota metric of the minute.'),
      errorBody: (error) => ({
        error: {
          code: error.status,
          message: error.message,
          errors: [
            {
              message: error.message,
              domain: error.name === 'quotaExceeded' ? 'youtube.quota' : 'youtube',
              reason: DETAILED[error.name] ?? error.name,
            },
          ],
          ...(Object.hasOwn(DETAILED, error.name) && {
            status: 'INVALID_ARGUMENT',
            details: [
              {
                '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
                reason: error.name,
                domain: 'googleapis.com',
              },
            ],
          }),
        },
      }),
    },
    world,
    now,
    stats,
  )
}

/** The key of a call, from its header or its address. @throws ApiError where it is missing or unknown */
function keyOf(call: Call): string {
  const key = call.request.headers.get('x-goog-api-key') ?? call.url.searchParams.get('key')
  if (key === null)
    throw new ApiError(
      403,
      'forbidden',
      "Method doesn't allow unregistered callers (callers without established identity).",
      'bad_auth',
    )
  if (key !== SIMULATED_API_KEY)
    throw new ApiError(400, 'API_KEY_INVALID', 'API key not valid. Please pass a valid API key.', 'bad_auth')
  return key
}

function listChannels(world: World, call: Call): Answer {
  const params = call.url.searchParams
  const parts = partsOf(call)
  const filters = ['id', 'forHandle', 'forUsername'].filter((name) => params.has(name))
  if (filters.length !== 1)
    throw invalid(
      filters.length === 0 ? 'missingRequiredParameter' : 'incompatibleParameters',
      'Exactly one filter is needed',
    )
  const limit = pageSize(call)
  const find = (name: string): Account | undefined => {
    const value = params.get(name)
    if (value === null || value === '') return undefined
    return name === 'forHandle'
      ? world.account('youtube', value.replace(/^@/, ''), call.t)
      : world.accounts('youtube').find((account) => account.key === value)
  }
  const found = params.has('id')
    ? batchOf(call).flatMap((id) => {
        const account = id.startsWith('UC') ? world.account('youtube', id, call.t) : undefined
        return account ? [account] : []
      })
    : [find('forHandle') ?? find('forUsername')].filter((account) => account !== undefined)
  const items = [...new Set(found)]
    .filter((account) => isActive(world, account, call.t))
    .slice(0, limit)
    .map((account) => only(channelView(world, account, call.origin, call.t), parts))
  const pageInfo = { totalResults: items.length, resultsPerPage: limit }
  // Where there is nothing, the list is missing as well.
  return { body: { kind: 'youtube#channelListResponse', pageInfo, ...(items.length > 0 && { items }) } }
}

function listPlaylistItems(world: World, call: Call): Answer {
  const params = call.url.searchParams
  const parts = partsOf(call)
  const playlistId = params.get('playlistId')
  if (!playlistId)
    throw invalid('missingRequiredParameter', 'No filter selected. Expected one of: id, playlistId')
  const limit = pageSize(call)
  const page = readPageToken(call)
  const account = playlistId.startsWith('UU')
    ? world.account('youtube', `UC${playlistId.slice(2)}`, call.t)
    : undefined
  const totalResults = account === undefined ? 0 : world.profileAt(account, call.t).posts
  // There is no such playlist before the first video.
  if (account === undefined || !isActive(world, account, call.t) || totalResults === 0)
    throw new ApiError(
      404,
      'playlistNotFound',
      'The playlist identified with the playlistId cannot be found.',
    )
  const entries = world.posts(account, {
    t: call.t,
    limit: limit + 1,
    ...(page && { before: page.before }),
  })
  const shown = entries.slice(0, limit)
  const last = shown.at(-1)
  const position = page?.position ?? 0
  const next = last && entries.length > limit ? writePageToken(last.at, position + shown.length) : undefined
  return {
    body: {
      kind: 'youtube#playlistItemListResponse',
      ...(next !== undefined && { nextPageToken: next }),
      pageInfo: { totalResults, resultsPerPage: limit },
      items: shown.map(({ post }, index) => only(playlistItemView(account, post, position + index), parts)),
    },
  }
}

function listVideos(world: World, call: Call): Answer {
  const parts = partsOf(call)
  if (call.url.searchParams.has('maxResults'))
    throw invalid('incompatibleParameters', 'maxResults is not supported in conjunction with id')
  const items = [...new Set(batchOf(call))].flatMap((id) => {
    const post = world.post('youtube', id, call.t)
    if (!post || !world.isReadable(post, call.t)) return []
    return [only(videoView(post, world.namesAt(post.account, call.t).displayName), parts)]
  })
  const pageInfo = { totalResults: items.length, resultsPerPage: items.length }
  return { body: { kind: 'youtube#videoListResponse', items, pageInfo } }
}

function isActive(world: World, account: Account, t: number): boolean {
  return world.namesAt(account, t).status === 'active'
}

/** What the call asks to be shown of each item. */
function partsOf(call: Call): ReadonlySet<string> {
  const part = call.url.searchParams.get('part')
  if (!part) throw invalid('missingRequiredParameter', 'No value for the required parameter: part')
  return new Set(part.split(','))
}

/** An item as far as it was asked for; `kind` and `id` always come. */
function only(item: object, parts: ReadonlySet<string>): object {
  return Object.fromEntries(
    Object.entries(item).filter(([name]) => name === 'kind' || name === 'id' || parts.has(name)),
  )
}

function batchOf(call: Call): string[] {
  const ids = (call.url.searchParams.get('id') ?? '').split(',').filter((id) => id !== '')
  call.ids = ids.length
  call.batchMax = MAX_BATCH
  if (ids.length === 0) throw invalid('missingRequiredParameter', 'No filter selected. Expected one of: id')
  if (ids.length > MAX_BATCH)
    throw new ApiError(
      400,
      'invalidFilters',
      'The request specifies an invalid filter parameter: id.',
      'too_many_ids',
    )
  return ids
}

function pageSize(call: Call): number {
  const text = call.url.searchParams.get('maxResults')
  if (text === null) return DEFAULT_PAGE
  const size = Number(text)
  if (!Number.isInteger(size) || size < 0 || size > MAX_BATCH)
    throw new ApiError(
      400,
      'invalidParameter',
      `Invalid value '${text}'. Values must be within the range: [0, ${MAX_BATCH}]`,
      'limit_out_of_range',
    )
  return size
}

/** Where a page begins, and what number its first item has in the playlist. */
interface PageStart {
  /** Epoch milliseconds; excluded. */
  before: number
  position: number
}

function writePageToken(before: number, position: number): string {
  return `EAAa${Buffer.from(`PT:${before.toString(36)}:${position.toString(36)}`).toString('base64url')}`
}

function readPageToken(call: Call): PageStart | undefined {
  const token = call.url.searchParams.get('pageToken')
  if (token === null) return undefined
  const text = token.startsWith('EAAa') ? Buffer.from(token.slice(4), 'base64url').toString() : ''
  const [, before, position] = /^PT:([0-9a-z]{6,11}):([0-9a-z]{1,6})$/.exec(text) ?? []
  if (before === undefined || position === undefined)
    throw new ApiError(400, 'invalidPageToken', 'The request specifies an invalid page token.', 'bad_cursor')
  return { before: Number.parseInt(before, 36), position: Number.parseInt(position, 36) }
}

function invalid(reason: string, message: string): ApiError {
  return new ApiError(400, reason, message, 'bad_parameter')
}
