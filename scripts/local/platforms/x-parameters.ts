import type { Call } from './platform-handler.ts'
import { parsePostId } from './post-ids.ts'
import type { Account, FeedEntry } from './types.ts'
import type { World } from './world.ts'
import { InvalidParameter } from './x-fields.ts'

const MAX_BATCH = 100
const MIN_PAGE = 5
const MAX_PAGE = 100
const DEFAULT_PAGE = 10
/** Nothing older can be listed. */
const MOST_LISTED = 3_200
const NUMERIC_ID = /^\d{1,19}$/
/** A constant beginning, how many posts came before (three characters), and the moment of the last of them. */
const TOKEN = /^7140([0-9a-z]{3})([0-9a-z]{7,9})$/

/** What a call wants of a timeline. */
export interface TimelineQuery {
  limit: number
  sinceId: bigint | undefined
  untilId: bigint | undefined
  excluded: readonly string[]
  /** Where the page before ended. */
  after: { listed: number; at: number } | undefined
}

/** The ids of a batch. @throws InvalidParameter for none, too many, or what is no id */
export function readIds(call: Call): string[] {
  return readBatch(call, 'ids', NUMERIC_ID)
}

/** The names of a batch, likewise. */
export function readNames(call: Call): string[] {
  return readBatch(call, 'usernames', /^\w{1,15}$/)
}

function readBatch(call: Call, name: string, pattern: RegExp): string[] {
  const text = call.url.searchParams.get(name) ?? ''
  const values = text === '' ? [] : text.split(',')
  call.ids = values.length
  call.batchMax = MAX_BATCH
  if (values.length === 0 || values.length > MAX_BATCH)
    throw new InvalidParameter(
      name,
      text,
      `The number of values in the \`${name}\` query parameter list [${values.length}] is not between 1 and ${MAX_BATCH}`,
      values.length === 0 ? 'bad_parameter' : 'too_many_ids',
    )
  const wrong = values.find((value) => !pattern.test(value))
  if (wrong !== undefined)
    throw new InvalidParameter(name, wrong, `The \`${name}\` query parameter value [${wrong}] is not valid`)
  return [...new Set(values)]
}

/** The parameters of a timeline. @throws InvalidParameter for what X does not take */
export function readTimeline(call: Call): TimelineQuery {
  const params = call.url.searchParams
  const excluded = (params.get('exclude') ?? '').split(',').filter((value) => value !== '')
  const unknown = excluded.find((value) => !['retweets', 'replies'].includes(value))
  if (unknown !== undefined)
    throw new InvalidParameter(
      'exclude',
      unknown,
      `The \`exclude\` query parameter value [${unknown}] is not one of [retweets,replies]`,
    )
  return {
    limit: pageSize(params.get('max_results')),
    sinceId: idOf('since_id', params.get('since_id')),
    untilId: idOf('until_id', params.get('until_id')),
    excluded,
    after: readToken(params.get('pagination_token')),
  }
}

function pageSize(text: string | null): number {
  if (text === null) return DEFAULT_PAGE
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= MIN_PAGE && limit <= MAX_PAGE) return limit
  throw new InvalidParameter(
    'max_results',
    text,
    `The \`max_results\` query parameter value [${text}] is not between ${MIN_PAGE} and ${MAX_PAGE}`,
    'limit_out_of_range',
  )
}

function idOf(name: string, text: string | null): bigint | undefined {
  if (text === null) return undefined
  if (NUMERIC_ID.test(text)) return BigInt(text)
  throw new InvalidParameter(name, text, `The \`${name}\` query parameter value [${text}] is not valid`)
}

function readToken(text: string | null): TimelineQuery['after'] {
  if (text === null) return undefined
  const [, listed, at] = TOKEN.exec(text) ?? []
  if (listed !== undefined && at !== undefined)
    return { listed: Number.parseInt(listed, 36), at: Number.parseInt(at, 36) }
  const message = `The \`pagination_token\` query parameter value [${text}] is not valid`
  throw new InvalidParameter('pagination_token', text, message, 'bad_cursor')
}

/** A page of what an account wrote and reposted, newest first. A full page may be the last one. */
export function timelineOf(
  world: World,
  account: Account,
  query: TimelineQuery,
  t: number,
): { entries: FeedEntry[]; nextToken: string | undefined } {
  const { sinceId, untilId, excluded, after } = query
  const listed = after?.listed ?? 0
  const limit = Math.min(query.limit, MOST_LISTED - listed)
  const sinceMs = sinceId === undefined ? undefined : parsePostId('x', String(sinceId))?.atMs
  const entries = world.posts(account, {
    t,
    limit,
    ...(after !== undefined && { before: after.at }),
    ...(sinceMs !== undefined && { after: sinceMs - 1 }),
    where: ({ id, kind }) =>
      (sinceId === undefined || BigInt(id) > sinceId) &&
      (untilId === undefined || BigInt(id) < untilId) &&
      !(kind === 'repost' && excluded.includes('retweets')) &&
      !(kind === 'reply' && excluded.includes('replies')),
  })
  const last = entries.at(-1)
  const next = listed + entries.length
  const isFull = last !== undefined && entries.length === query.limit && next < MOST_LISTED
  return {
    entries,
    nextToken: isFull ? `7140${next.toString(36).padStart(3, '0')}${last.at.toString(36)}` : undefined,
  }
}
