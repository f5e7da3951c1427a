import type { Call } from './call.ts'
import { graphError } from './meta-errors.ts'
import { parseFields, selectFields } from './meta-fields.ts'
import type { MetaNetworkViews, ViewContext } from './meta-views.ts'
import { hashUnit } from './random.ts'
import type { Account } from './types.ts'
import type { World } from './world.ts'

const MAX_PAGE = 100
const DEFAULT_PAGE = 25
/** Later pages are now and then shorter than asked for, or empty, as where posts were filtered out. */
const SHORT_PAGE_CHANCE = 0.12
const EMPTY_PAGE_CHANCE = 0.04

/** A page of an account's posts, newest first. A post whose fields cannot be had fails the page. */
export function listPosts(
  world: World,
  account: Account,
  views: MetaNetworkViews,
  context: ViewContext,
  call: Call,
  params: URLSearchParams,
): unknown {
  const limit = pageSize(params)
  const after = params.get('after')
  const { before, isAfterEmpty } = readCursor(after)
  const fields = parseFields(params.get('fields') ?? views.defaultPostFields)
  const isWhole = before === undefined || isAfterEmpty
  const size = isWhole ? limit : shownOf(limit, hashUnit('page', account.id, before))
  // One more than is shown tells whether there is another page.
  const entries = world.posts(account, {
    t: call.t,
    limit: size + 1,
    ...(before !== undefined && { before }),
  })
  const shown = entries.slice(0, size)
  const last = shown.at(-1)
  const hasMore = entries.length > shown.length
  const data = shown.map(({ post }) => ({
    ...selectFields(views.post(post, context), fields),
    id: post.id,
  }))
  if (data.length === 0 && !hasMore) return { data }
  // Behind an empty page the next one begins where this one did.
  const end = last === undefined ? writeCursor('e', before ?? call.t) : writeCursor('q', last.at)
  const start = shown[0] === undefined ? end : writeCursor('q', shown[0].at)
  const next = new URL(call.url)
  next.searchParams.set('after', end)
  return {
    data,
    paging: { cursors: { before: start, after: end }, ...(hasMore && { next: next.href }) },
  }
}

function shownOf(limit: number, chance: number): number {
  if (chance < EMPTY_PAGE_CHANCE) return 0
  return chance < SHORT_PAGE_CHANCE ? Math.ceil(limit * 0.7) : limit
}

function pageSize(params: URLSearchParams): number {
  const text = params.get('limit')
  if (text === null) return DEFAULT_PAGE
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw graphError(100, `(limit) must be between 1 and ${MAX_PAGE}`, { violation: 'limit_out_of_range' })
  return limit
}

/** `e` is the cursor of an empty page, `q` that of any other. */
function writeCursor(type: 'e' | 'q', at: number): string {
  return Buffer.from(`${type}${at.toString(36)}`).toString('base64url')
}

function readCursor(after: string | null): { before: number | undefined; isAfterEmpty: boolean } {
  if (after === null) return { before: undefined, isAfterEmpty: false }
  const [, type, at] = /^([eq])([0-9a-z]{6,11})$/.exec(Buffer.from(after, 'base64url').toString()) ?? []
  if (at === undefined) throw graphError(100, 'Invalid cursors values', { violation: 'bad_cursor' })
  return { before: Number.parseInt(at, 36), isAfterEmpty: type === 'e' }
}
