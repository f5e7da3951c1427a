import * as z from 'zod'
import {
  type AccountProfile,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
  type PostRef,
} from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts } from './entries.ts'
import {
  Count,
  chunksOf,
  cleanText,
  distinctBy,
  LooseList,
  OptionalName,
  OptionalText,
  WebAddress,
} from './fields.ts'
import { readAccountName, refuseInput } from './input.ts'
import type { RuleOf } from './limits.ts'
import { accountProblem, createXApi, PRICE_MICROS, protectedAccount, WHO, type XCall } from './x-api.ts'
import { isPostId, lowestIdAt, readIncludedMedia, readPost, XId } from './x-post.ts'

export const X_API_URL = 'https://api.x.com'
const X_SITE_URL = 'https://x.com'

/** Batch methods take at most this many ids. */
const BATCH_SIZE = 100
const PAGE_SIZE = 100
/** Of posts since the newest that is known: mostly a few, and the price of a full page is set aside before. */
const NEWER_PAGE_SIZE = 20

export interface XOptions {
  app: { bearerToken: string }
  /** Base address of the API, without `/2` and without a slash at the end: `X_API_URL`. */
  apiUrl: string
  /** Where people look at accounts and posts, without a slash at the end. */
  siteUrl?: string
  userAgent: string
  ruleOf: RuleOf
}

const NO_COUNTS = { followers_count: null, following_count: null, tweet_count: null, post_count: null }

const User = z.object({
  id: XId,
  username: z.string().min(1).transform(cleanText),
  name: OptionalName,
  protected: z.boolean().catch(false),
  profile_image_url: WebAddress,
  public_metrics: z
    .object({ followers_count: Count, following_count: Count, tweet_count: Count, post_count: Count })
    .catch(NO_COUNTS),
})
type User = z.infer<typeof User>

const OneUser = z.object({ data: z.unknown().optional(), errors: LooseList })

/** `data` is missing where there is nothing to show. */
const List = z.object({ data: z.array(z.unknown()).optional(), errors: LooseList })
const Identified = z.object({ id: XId })
const Posts = List.extend({
  includes: z.object({ media: LooseList }).catch({ media: [] }),
  meta: z.object({ next_token: OptionalText }).optional().catch(undefined),
})

/** Reads what is public, with the app's own token. Every post and user that is read is paid for. */
export function createXConnector(options: XOptions): PlatformConnector {
  const { app, apiUrl, siteUrl = X_SITE_URL, userAgent, ruleOf } = options
  const api = createXApi({ bearerToken: app.bearerToken, apiUrl, userAgent, ruleOf })
  const profileUrl = (username: string): string => `${siteUrl}/${username}`

  const toAccountProfile = (user: User): AccountProfile => ({
    externalId: user.id,
    host: null,
    handle: user.username,
    displayName: user.name,
    url: profileUrl(user.username),
    avatarUrl: user.profile_image_url,
    followers: user.public_metrics.followers_count,
    following: user.public_metrics.following_count,
    posts: user.public_metrics.post_count ?? user.public_metrics.tweet_count,
  })

  return {
    platform: 'x',
    refreshBatchSize: BATCH_SIZE,
    profileBatchSize: BATCH_SIZE,
    batchBy: 'workspace',
    postCostMicros: PRICE_MICROS.post,

    async resolve(ctx, input) {
      const name = readAccountName(input, 'x', /^\w{1,15}$/)
      if (name === null)
        throw refuseInput(input, 'x', 'An X account is named like @ada, or by its profile address.')
      const call: XCall = {
        path: `/users/by/username/${name}`,
        parameters: [],
        operation: 'account.find',
        items: 1,
      }
      const { data, errors } = await api.readUsers(ctx, call, OneUser)
      if (data === undefined) throw accountProblem(errors) ?? notUnderstood()
      const [user] = readEntries(ctx, [data], WHO, (entry) => User.parse(entry))
      if (user === undefined) throw notUnderstood()
      if (user.protected) throw protectedAccount()
      return toAccountProfile(user)
    },

    async fetchProfiles(ctx, accounts) {
      const wanted = new Set(accounts.map(({ externalId }) => externalId).filter(isPostId))
      const found: AccountProfile[] = []
      for (const ids of chunksOf([...wanted], BATCH_SIZE)) {
        const parameters: [string, string][] = [['ids', ids.join(',')]]
        const call: XCall = { path: '/users', parameters, operation: 'profiles.read', items: ids.length }
        const users = shown(await api.readUsers(ctx, call, List))
        found.push(...readEntries(ctx, users, WHO, (entry) => toAccountProfile(User.parse(entry))))
      }
      const ours = found.filter(({ externalId }) => wanted.has(externalId))
      return distinctBy(ours, ({ externalId }) => externalId)
    },

    async fetchPosts(ctx, account, cursor, newest) {
      const { sinceId, token } =
        cursor === null ? { sinceId: sinceIdOf(newest), token: null } : readCursor(cursor)
      const size = sinceId === null ? PAGE_SIZE : NEWER_PAGE_SIZE
      const parameters: [string, string][] = [['max_results', String(size)]]
      if (sinceId !== null) parameters.push(['since_id', sinceId])
      if (token) parameters.push(['pagination_token', token])
      const path = `/users/${encodeURIComponent(account.externalId)}/tweets`
      const call = { path, parameters, operation: 'posts.list', items: size, limit: 'x.timelines' } as const
      const page = await api.readPosts(ctx, call, Posts)
      if (page.data === undefined) {
        const problem = accountProblem(page.errors)
        if (problem !== null) throw problem
        if (page.meta === undefined) throw notUnderstood()
      }
      const media = readIncludedMedia(page.includes.media)
      const posts = readEntries(ctx, page.data ?? [], WHO, (entry) =>
        readPost(entry, media, profileUrl(account.handle)),
      )
      const next = page.meta?.next_token || null
      // A token that stands still would be followed for ever.
      const older = next === null || next === token ? null : writeCursor(sinceId, next)
      const isUnclear = (page.data ?? []).some((entry) => !Identified.safeParse(entry).success)
      return {
        posts: distinctBy(posts, (post) => post.platformPostId),
        // Only newer ones are asked for the next time: what could not be told apart is looked for once more.
        nextCursor:
          older ?? (isUnclear && cursor === null && sinceId !== null ? writeCursor(sinceId, '') : null),
      }
    },

    async refreshPosts(ctx, _scope, known) {
      const wanted = momentsOf(known.filter(({ id }) => isPostId(id)))
      const found: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const ids = batch.map(([id]) => id)
        const parameters: [string, string][] = [['ids', ids.join(',')]]
        const call = {
          path: '/tweets',
          parameters,
          operation: 'posts.refresh',
          items: ids.length,
          limit: 'x.posts',
        } as const
        const page = await api.readPosts(ctx, call, Posts)
        const media = readIncludedMedia(page.includes.media)
        // Whose they are is not asked for, as an author is paid for like any user: their addresses are known.
        found.push(
          ...readKnownPosts(ctx, shown(page), WHO, new Map(batch), (entry) => readPost(entry, media, null)),
        )
      }
      return distinctBy(found, ({ platformPostId }) => platformPostId)
    },
  }
}

function notUnderstood(): PlatformError {
  return new PlatformError('bad_answer', `The answer of ${WHO} could not be understood.`)
}

/** What a batch has; of all that it has not, X says why. */
function shown({ data, errors }: z.infer<typeof List>): unknown[] {
  if (data === undefined && errors.length === 0) throw notUnderstood()
  return data ?? []
}

/** The id above which posts are newer; one made of its date stands in for the id of a post that came from a file. */
function sinceIdOf(newest: PostRef | null | undefined): string | null {
  if (newest === null || newest === undefined) return null
  if (isPostId(newest.id)) return newest.id
  return lowestIdAt(newest.postedAtMs)
}

/**
 * Newer posts go on being asked for alone: a page without the id would begin with what is paid for already.
 * @param token where the page begins; empty: at the newest
 */
function writeCursor(sinceId: string | null, token: string): string {
  return sinceId === null ? token : `since:${sinceId}:${token}`
}

function readCursor(cursor: string): { sinceId: string | null; token: string } {
  const [, sinceId = null, token = ''] = /^(?:since:(\d{1,19}):)?([\w-]{0,500})$/u.exec(cursor) ?? []
  if (sinceId === null && token === '') throw new PlatformError('bad_request', 'The cursor is not valid.')
  return { sinceId, token }
}
