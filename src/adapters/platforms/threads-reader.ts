import * as z from 'zod'
import { noMetrics, type PostMetrics } from '../../domain/platforms.ts'
import {
  type AccountRef,
  type CallOperation,
  type ConnectorContext,
  PlatformError,
  type PlatformPost,
  type PostRef,
} from '../../ports.ts'
import { readEntries, readKnownPost, readNoting } from './entries.ts'
import { chunksOf, OptionalText } from './fields.ts'
import { isData, type PlatformAnswer } from './http.ts'
import { graphErrorOf, isParameterError, isRightsError } from './meta-failure.ts'
import { type ThreadsApi, threadsData, WHO } from './threads-api.ts'
import {
  Insights,
  METRIC_PARAMETERS,
  POST_FIELDS,
  POST_FIELDS_WITH_METRICS,
  readMetrics,
  readThreadsPost,
} from './threads-post.ts'

/** Most posts in a page. */
export const PAGE_SIZE = 100
/** Where each post takes a call of its own for its counts. */
const PAGE_SIZE_WITHOUT_METRICS = 25
const CONCURRENT_CALLS = 3

const REMEMBER_MS = 3_600_000
const REMEMBERED_ACCOUNTS = 1_000

/** The lists that an account's posts stand in. */
export const EDGES = ['threads', 'replies'] as const
export type Edge = (typeof EDGES)[number]

/** What of a list is asked for; moments in seconds since 1970. */
export interface EdgeRange {
  since?: number
  until?: number
  /** The platform's own cursor, within the same range. */
  after?: string
}

export interface EdgePage {
  posts: PlatformPost[]
  /** Where the list goes on; `null` at its end. */
  after: string | null
  /** Whether the posts come with their counts; else see `withMetrics`. */
  hasMetrics: boolean
}

export interface ThreadsReader {
  /** A page of one of the account's lists, newest first. */
  readPage(
    ctx: ConnectorContext,
    account: AccountRef,
    edge: Edge,
    range: EdgeRange,
    operation: CallOperation,
  ): Promise<EdgePage>
  /** One known post, with its counts; `null` when it is gone, and when it is malformed, which leaves it open. */
  readPost(ctx: ConnectorContext, account: AccountRef, ref: PostRef): Promise<PlatformPost | null>
  /** The same posts with their counts, one call for each; without those that are gone. */
  withMetrics(ctx: ConnectorContext, account: AccountRef, posts: PlatformPost[]): Promise<PlatformPost[]>
}

const Page = z.object({
  data: z.array(z.unknown()),
  paging: z
    .object({
      cursors: z.object({ after: OptionalText }).catch({ after: null }),
      next: OptionalText,
    })
    .catch({ cursors: { after: null }, next: null }),
})

/** Accounts for which something was refused lately, so that it is not asked for again at once. */
function createRefusals() {
  const untilMs = new Map<string, number>()
  return {
    has: (account: string): boolean => (untilMs.get(account) ?? 0) > Date.now(),
    add: (account: string): void => {
      if (untilMs.size >= REMEMBERED_ACCOUNTS) untilMs.clear()
      untilMs.set(account, Date.now() + REMEMBER_MS)
    },
  }
}

function isSuccess(answer: PlatformAnswer): boolean {
  return isData(answer) && graphErrorOf(answer.json) === null
}

/** The results for all values, a few at a time: a Worker has six connections. */
export async function fewAtOnce<T, R>(values: readonly T[], act: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const some of chunksOf(values, CONCURRENT_CALLS)) results.push(...(await Promise.all(some.map(act))))
  return results
}

/** Reads posts with their counts: together where Threads allows that, else one by one. */
export function createThreadsReader(api: ThreadsApi): ThreadsReader {
  const refusesMetrics = createRefusals()
  const refusesReplies = createRefusals()

  /** Asks for posts with their counts or, where that is refused, without. */
  async function askForPosts(
    account: AccountRef,
    ask: (hasMetrics: boolean) => Promise<PlatformAnswer>,
  ): Promise<{ answer: PlatformAnswer; hasMetrics: boolean }> {
    if (!refusesMetrics.has(account.externalId)) {
      const answer = await ask(true)
      const error = graphErrorOf(answer.json)
      if (error === null || !isParameterError(error)) return { answer, hasMetrics: true }
    }
    const answer = await ask(false)
    // Where this fails as well, it was not the counts that were refused.
    if (isSuccess(answer)) refusesMetrics.add(account.externalId)
    return { answer, hasMetrics: false }
  }

  async function metricsOf(
    ctx: ConnectorContext,
    account: AccountRef,
    id: string,
  ): Promise<PostMetrics | null> {
    const answer = await api.ask(ctx, {
      path: `${id}/insights`,
      parameters: METRIC_PARAMETERS,
      operation: 'posts.insights',
      account: account.externalId,
      token: api.tokenOf(ctx),
    })
    const error = graphErrorOf(answer.json)
    if (error !== null && isParameterError(error)) return noMetrics()
    return unlessGone(() => readNoting(ctx, answer.json, () => readMetrics(threadsData(answer, Insights))))
  }

  const withMetrics: ThreadsReader['withMetrics'] = async (ctx, account, posts) => {
    const read = await fewAtOnce(posts, async (post) => {
      if (post.kind === 'repost') return post
      const metrics = await metricsOf(ctx, account, post.platformPostId)
      return metrics === null ? null : { ...post, metrics }
    })
    return read.filter((post) => post !== null)
  }

  return {
    async readPage(ctx, account, edge, range, operation) {
      const nothing: EdgePage = { posts: [], after: null, hasMetrics: true }
      if (edge === 'replies' && refusesReplies.has(account.externalId)) return nothing
      const { answer, hasMetrics } = await askForPosts(account, (isWithMetrics) => {
        const isFewer = operation === 'posts.list' && !isWithMetrics
        const limit = isFewer ? PAGE_SIZE_WITHOUT_METRICS : PAGE_SIZE
        const { since, until, after } = range
        return api.ask(ctx, {
          path: `${encodeURIComponent(account.externalId)}/${edge}`,
          parameters: {
            fields: isWithMetrics ? POST_FIELDS_WITH_METRICS : POST_FIELDS,
            limit: String(limit),
            ...(since === undefined ? {} : { since: String(since) }),
            ...(until === undefined ? {} : { until: String(until) }),
            ...(after === undefined ? {} : { after }),
          },
          operation,
          items: limit,
          account: account.externalId,
          token: api.tokenOf(ctx),
        })
      })
      const error = graphErrorOf(answer.json)
      // Reading replies takes a right of its own, which not everybody grants.
      if (edge === 'replies' && error !== null && isRightsError(error)) {
        refusesReplies.add(account.externalId)
        return nothing
      }
      const { data, paging } = threadsData(answer, Page)
      const posts = readEntries(ctx, data, WHO, (entry) => readThreadsPost(entry, edge === 'replies'))
      return { posts, after: paging.next === null ? null : paging.cursors.after, hasMetrics }
    },

    async readPost(ctx, account, ref) {
      const { answer, hasMetrics } = await askForPosts(account, (isWithMetrics) =>
        api.ask(ctx, {
          path: ref.id,
          parameters: { fields: isWithMetrics ? POST_FIELDS_WITH_METRICS : POST_FIELDS },
          operation: 'posts.refresh',
          account: account.externalId,
          token: api.tokenOf(ctx),
        }),
      )
      const found = unlessGone(() => ({ post: threadsData(answer, z.unknown()) }))
      if (found === null) return null
      const post = readKnownPost(ctx, found.post, ref, (entry) => readThreadsPost(entry, false))
      if (post === null || hasMetrics) return post
      const [measured] = await withMetrics(ctx, account, [post])
      return measured ?? null
    },

    withMetrics,
  }
}

/** What `read` gives; `null` when it fails because the platform does not have the thing. */
function unlessGone<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof PlatformError && error.kind === 'gone') return null
    throw error
  }
}
