import { MAX_PERIOD_DAYS } from '../../domain/periods.ts'
import {
  type AccountRef,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
  type PostRef,
} from '../../ports.ts'

/** The longest period that can be asked for, and the one that it is compared with. */
const BACKFILL_DAYS = 2 * MAX_PERIOD_DAYS
/** Older posts cost as much as new ones where reads are paid for, and move no more. */
const PAID_BACKFILL_DAYS = 30

/** A post, and the moment before the call that showed it. */
export interface ObservedPost {
  post: PlatformPost
  observedAtMs: number
}

export interface PagesRead {
  posts: ObservedPost[]
  /** Where older posts begin; `null` when there are none that are wanted. */
  nextCursor: string | null
  /** Why it went no further, where that was not for being done or for the bounds. */
  stopped: PlatformError | null
}

export interface PageBounds {
  /** Stops before another page when so many posts are there. */
  posts: number
  /** Begins no page after this moment. */
  deadlineMs: number
}

/** Nothing but the newest page. */
export const ONE_PAGE: PageBounds = { posts: 0, deadlineMs: 0 }

/**
 * Reads an account's posts from a cursor on, page by page, until they end, are older than anybody asks for, or
 * the bounds are reached. What was read counts also where a later page fails.
 * @throws PlatformError when the first page fails
 */
export async function readPages(
  connector: PlatformConnector,
  context: ConnectorContext,
  account: AccountRef,
  from: { cursor: string | null; newest?: PostRef | null },
  bounds: PageBounds,
  now: () => number,
): Promise<PagesRead> {
  const posts: ObservedPost[] = []
  const oldestMs =
    now() - 86_400_000 * (connector.postCostMicros === undefined ? BACKFILL_DAYS : PAID_BACKFILL_DAYS)
  let cursor = from.cursor
  for (let page = 0; ; page++) {
    // The moment before the call: what changes while it runs must not look older than it is read.
    const observedAtMs = now()
    if (page > 0 && (posts.length >= bounds.posts || observedAtMs >= bounds.deadlineMs))
      return { posts, nextCursor: cursor, stopped: null }
    try {
      const read = await connector.fetchPosts(context, account, cursor, from.newest ?? null)
      posts.push(...read.posts.map((post) => ({ post, observedAtMs })))
      cursor = read.nextCursor
      const oldest = read.posts.at(-1)
      if (oldest !== undefined && Date.parse(oldest.postedAt) < oldestMs) cursor = null
    } catch (error) {
      if (page === 0 || !(error instanceof PlatformError)) throw error
      return { posts, nextCursor: cursor, stopped: error }
    }
    if (cursor === null) return { posts, nextCursor: null, stopped: null }
  }
}
