import * as z from 'zod'
import {
  type AccountProfile,
  type AccountRef,
  type CallOperation,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
  type PostPage,
} from '../../ports.ts'
import { readNoting } from './entries.ts'
import { distinctBy, OptionalName, WebAddress } from './fields.ts'
import { isData } from './http.ts'
import { readAccountName, refuseInput } from './input.ts'
import { graphErrorOf, isParameterError } from './meta-failure.ts'
import { createThreadsApi, type ThreadsApi, type ThreadsOptions, threadsData, WHO } from './threads-api.ts'
import { createThreadsOAuth } from './threads-oauth.ts'
import { Insights, readInsight } from './threads-post.ts'
import { createThreadsReader, EDGES, type EdgePage, type EdgeRange, PAGE_SIZE } from './threads-reader.ts'
import { refreshThreadsPosts } from './threads-refresh.ts'

/** Empty pages that lead to further ones are followed so often. */
const MOST_EMPTY_PAGES = 5
const HINT = 'A Threads account is named like @ada, or by its profile address.'

const Profile = z.object({
  id: z.string().regex(/^\d{1,30}$/u),
  username: z.string().min(1),
  name: OptionalName,
  threads_profile_picture_url: WebAddress,
})

/** Reads accounts with their owners' tokens. */
export function createThreadsConnector(options: ThreadsOptions): PlatformConnector {
  const api = createThreadsApi(options)
  const reader = createThreadsReader(api)

  return {
    platform: 'threads',
    refreshBatchSize: PAGE_SIZE,
    profileBatchSize: 1,
    batchBy: 'account',

    async resolve(ctx, input) {
      const name = readAccountName(input, 'threads', /^[\w.]{1,30}$/u)
      if (name === null) throw refuseInput(input, 'threads', HINT)
      const profile = await readProfile(api, ctx, { node: 'me', token: api.tokenOf(ctx) })
      if (profile.handle.toLowerCase() === name.toLowerCase()) return profile
      throw new PlatformError('permission', `The sign-in is one of @${profile.handle}, not of @${name}.`)
    },

    async fetchProfiles(ctx, accounts) {
      const profiles: AccountProfile[] = []
      for (const { externalId } of distinctBy(accounts, (account) => account.externalId)) {
        const call = { node: encodeURIComponent(externalId), account: externalId, token: api.tokenOf(ctx) }
        try {
          const profile = await readProfile(api, ctx, call, 'profiles.read')
          if (profile.externalId === externalId) profiles.push(profile)
        } catch (error) {
          if (!(error instanceof PlatformError && error.kind === 'gone')) throw error
        }
      }
      return profiles
    },

    async fetchPosts(ctx, account, cursor) {
      const until = readCursor(cursor)
      const pages: EdgePage[] = []
      for (const edge of EDGES) {
        // A second more: whether the bound itself is meant, Threads does not say.
        const range = until === null ? {} : { until: until + 1 }
        const page = await readNonEmpty(range, (within) =>
          reader.readPage(ctx, account, edge, within, 'posts.list'),
        )
        pages.push(page)
      }
      const { posts, nextCursor } = mergePages(pages, until)
      // All pages but those of a list without anything in it are read in the same way.
      if (pages.every(({ hasMetrics }) => hasMetrics)) return { posts, nextCursor }
      return { posts: await reader.withMetrics(ctx, account, posts), nextCursor }
    },

    async refreshPosts(ctx, { account }, known) {
      if (account === null)
        throw new PlatformError('bad_request', 'Posts of Threads are read by their account.')
      const found = await refreshThreadsPosts(reader, ctx, account, known)
      return distinctBy(found, (post) => post.platformPostId)
    },

    oauth: createThreadsOAuth(options, api, async (ctx, grant) => {
      const profile = await readProfile(api, ctx, { node: 'me', token: grant.accessToken })
      return [{ profile, grant }]
    }),
  }
}

/** A profile and the number of its followers, which Threads keeps apart. */
async function readProfile(
  api: ThreadsApi,
  ctx: ConnectorContext,
  { node, account, token }: { node: string; account?: AccountRef['externalId']; token: string },
  operation: CallOperation = 'account.find',
): Promise<AccountProfile> {
  const profile = await api.read(
    ctx,
    {
      path: node,
      parameters: { fields: 'id,username,name,threads_profile_picture_url' },
      operation,
      account,
      token,
    },
    Profile,
  )
  const answer = await api.ask(ctx, {
    path: `${profile.id}/threads_insights`,
    parameters: { metric: 'followers_count' },
    operation,
    account: profile.id,
    token,
  })
  const error = isData(answer) ? null : graphErrorOf(answer.json)
  // Some accounts have no such count; that must not hide the rest.
  const hasNone = error !== null && isParameterError(error)
  const followers = hasNone
    ? null
    : readNoting(ctx, answer.json, () => readInsight(threadsData(answer, Insights), 'followers_count'))
  return {
    externalId: profile.id,
    host: null,
    handle: profile.username,
    displayName: profile.name,
    url: `https://www.threads.net/@${encodeURIComponent(profile.username)}`,
    avatarUrl: profile.threads_profile_picture_url,
    followers,
    following: null,
    posts: null,
  }
}

/** Follows a list over pages that hold nothing. */
async function readNonEmpty(
  range: EdgeRange,
  read: (range: EdgeRange) => Promise<EdgePage>,
): Promise<EdgePage> {
  let page = await read(range)
  for (let empty = 1; page.posts.length === 0 && page.after !== null; empty++) {
    if (empty > MOST_EMPTY_PAGES)
      throw new PlatformError('bad_answer', `${WHO} gives one empty page after the other.`)
    page = await read({ ...range, after: page.after })
  }
  return page
}

/**
 * The page that two lists make together: as far back as both were read, newest first. Where it ends is a
 * moment and no cursor of theirs: those are two, and do not live long. Posts of that very second are left to
 * the next page, so that none is lost or comes twice.
 */
function mergePages(pages: readonly EdgePage[], until: number | null): PostPage {
  const ends = pages
    .filter(({ after }) => after !== null)
    .map(({ posts }) => Math.min(...posts.map(secondOf)))
  const end = Math.max(...ends)
  // As many posts in one second as a page holds: what more there is of that second is given up.
  const stands = until !== null && end >= until
  const posts = pages
    .flatMap((page) => page.posts)
    .filter((post) => secondOf(post) > end || (stands && secondOf(post) === end))
    .filter((post) => until === null || secondOf(post) <= until)
    .sort((a, b) => Date.parse(b.postedAt) - Date.parse(a.postedAt))
  return {
    posts: distinctBy(posts, (post) => post.platformPostId),
    nextCursor: ends.length === 0 ? null : String(stands ? Math.min(end, until) - 1 : end),
  }
}

function secondOf(post: PlatformPost): number {
  return Math.floor(Date.parse(post.postedAt) / 1_000)
}

/** A cursor is the last second that is still wanted. */
function readCursor(cursor: string | null): number | null {
  if (cursor === null) return null
  if (/^\d{10}$/u.test(cursor)) return Number(cursor)
  throw new PlatformError('bad_request', 'The cursor is not valid.')
}
