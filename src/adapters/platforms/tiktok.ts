import * as z from 'zod'
import {
  type AccountProfile,
  type AccountRef,
  type CallOperation,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
} from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts } from './entries.ts'
import { Count, chunksOf, distinctBy, OptionalName, WebAddress } from './fields.ts'
import { readAccountName, refuseInput } from './input.ts'
import { createTikTokApi, type TikTokApi, type TikTokApiOptions, WHO } from './tiktok-api.ts'
import { createTikTokOAuth, type TikTokOAuthOptions } from './tiktok-oauth.ts'
import { isVideoId, readVideo, VIDEO_FIELDS } from './tiktok-video.ts'

/** Most videos in a page, and most ids in a query. */
const BATCH_SIZE = 20
const HINT = 'A TikTok account is named like @ada, or by its profile address.'
const USER_FIELDS = 'open_id,avatar_url,display_name,username,follower_count,following_count,video_count'

export interface TikTokOptions extends TikTokApiOptions, TikTokOAuthOptions {}

const User = z.object({
  user: z.object({
    open_id: z.string().min(1),
    username: z.string().min(1),
    display_name: OptionalName,
    avatar_url: WebAddress,
    follower_count: Count,
    following_count: Count,
    video_count: Count,
  }),
})

// `null` may stand for none; an answer without any such list is no answer to what was asked.
const Videos = z.object({ videos: z.array(z.unknown()).nullable() })

const VideoPage = z.object({
  // Left out where there are none.
  videos: z.array(z.unknown()).nullish(),
  has_more: z.boolean(),
  /** Milliseconds since 1970; of the last page it says nothing. */
  cursor: Count,
})

/** Reads accounts with their owners' tokens. */
export function createTikTokConnector(options: TikTokOptions): PlatformConnector {
  const api = createTikTokApi(options)

  return {
    platform: 'tiktok',
    refreshBatchSize: BATCH_SIZE,
    profileBatchSize: 1,
    batchBy: 'account',

    async resolve(ctx, input) {
      const name = readAccountName(input, 'tiktok', /^[\w.]{1,30}$/u)
      if (name === null) throw refuseInput(input, 'tiktok', HINT)
      const profile = await readProfile(api, ctx, api.tokenOf(ctx))
      if (profile.handle.toLowerCase() === name.toLowerCase()) return profile
      throw new PlatformError('permission', `The sign-in is one of @${profile.handle}, not of @${name}.`)
    },

    async fetchProfiles(ctx, accounts) {
      const profiles: AccountProfile[] = []
      // A token shows its owner and nobody else.
      for (const account of distinctBy(accounts, ({ externalId }) => externalId))
        profiles.push(await readOwn(api, ctx, account))
      return profiles
    },

    async fetchPosts(ctx, _account, cursor) {
      const at = readCursor(cursor)
      const call = {
        endpoint: 'video/list',
        fields: VIDEO_FIELDS,
        body: { max_count: BATCH_SIZE, ...(at === null ? {} : { cursor: at }) },
        operation: 'posts.list',
        items: BATCH_SIZE,
        token: api.tokenOf(ctx),
      } as const
      const page = await api.read(ctx, call, VideoPage)
      const next = page.has_more && page.cursor !== null ? String(page.cursor) : null
      return {
        posts: distinctBy(readEntries(ctx, page.videos ?? [], WHO, readVideo), (post) => post.platformPostId),
        // A cursor that stands still would be followed for ever.
        nextCursor: next === cursor ? null : next,
      }
    },

    // One id that is none would fail the whole call: those of imports are not asked for.
    async refreshPosts(ctx, _scope, known) {
      const wanted = momentsOf(known.filter(({ id }) => isVideoId(id)))
      const found: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const ids = batch.map(([id]) => id)
        const call = {
          endpoint: 'video/query',
          fields: VIDEO_FIELDS,
          body: { filters: { video_ids: ids } },
          operation: 'posts.refresh',
          items: ids.length,
          token: api.tokenOf(ctx),
        } as const
        const { videos } = await api.read(ctx, call, Videos)
        found.push(...readKnownPosts(ctx, videos ?? [], WHO, new Map(batch), readVideo))
      }
      return distinctBy(found, (post) => post.platformPostId)
    },

    oauth: createTikTokOAuth(options, api, async (ctx, grant) => [
      { profile: await readProfile(api, ctx, grant.accessToken), grant },
    ]),
  }
}

/** The account of a token. */
async function readProfile(
  api: TikTokApi,
  ctx: ConnectorContext,
  token: string,
  operation: CallOperation = 'account.find',
): Promise<AccountProfile> {
  const call = { endpoint: 'user/info', fields: USER_FIELDS, operation, token } as const
  const { user } = await api.read(ctx, call, User)
  return {
    externalId: user.open_id,
    host: null,
    handle: user.username,
    displayName: user.display_name,
    url: `https://www.tiktok.com/@${encodeURIComponent(user.username)}`,
    avatarUrl: user.avatar_url,
    followers: user.follower_count,
    following: user.following_count,
    posts: user.video_count,
  }
}

async function readOwn(api: TikTokApi, ctx: ConnectorContext, account: AccountRef): Promise<AccountProfile> {
  const profile = await readProfile(api, ctx, api.tokenOf(ctx), 'profiles.read')
  if (profile.externalId === account.externalId) return profile
  throw new PlatformError('auth', `The sign-in is one of @${profile.handle}: sign in as @${account.handle}.`)
}

/** The moment that TikTok gave, which it wants back as the number that it is. */
function readCursor(cursor: string | null): number | null {
  if (cursor === null) return null
  const at = /^\d{1,16}$/u.test(cursor) ? Number(cursor) : Number.NaN
  if (Number.isSafeInteger(at)) return at
  throw new PlatformError('bad_request', 'The cursor is not valid.')
}
