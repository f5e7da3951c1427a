import * as z from 'zod'
import {
  type AccountProfile,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
  type PostPage,
} from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts } from './entries.ts'
import { chunksOf, distinctBy, OptionalName, OptionalText, WebAddress } from './fields.ts'
import { readAccountName, refuseInput } from './input.ts'
import { createYoutubeApi, WHO, type YoutubeApiOptions } from './youtube-api.ts'
import { DecimalCount, isVideoId, readVideo, VIDEO_PARTS } from './youtube-video.ts'

export const YOUTUBE_API_URL = 'https://www.googleapis.com'

/** List calls take, and give, at most this many at once. */
const BATCH_SIZE = 50
const CHANNEL_ID = /^UC[\w-]{22}$/u
/** Letters of many scripts; YouTube itself allows 3 to 30 characters. */
const HANDLE = /^[\p{L}\p{M}\p{N}_.·-]{1,60}$/u
const CHANNEL_PARTS = 'snippet,statistics,contentDetails'

const Statistics = z.object({
  subscriberCount: DecimalCount,
  hiddenSubscriberCount: z.boolean().catch(false),
  videoCount: DecimalCount,
})

const Channel = z.object({
  id: z.string().regex(CHANNEL_ID),
  snippet: z.object({
    title: OptionalName,
    customUrl: OptionalName,
    thumbnails: z
      .object({ default: z.object({ url: WebAddress }) })
      .nullable()
      .catch(null),
  }),
  statistics: Statistics.nullable().catch(null),
  contentDetails: z
    .object({ relatedPlaylists: z.object({ uploads: OptionalText }) })
    .nullable()
    .catch(null),
})
type Channel = z.infer<typeof Channel>

const PlaylistItem = z.object({ contentDetails: z.object({ videoId: z.string().regex(/^[\w-]{11}$/u) }) })

/** Reads public channels and their public videos with the deployment's API key. */
export function createYoutubeConnector(options: YoutubeApiOptions): PlatformConnector {
  const call = createYoutubeApi(options)

  async function readVideos(
    ctx: ConnectorContext,
    operation: 'posts.list' | 'posts.refresh',
    ids: readonly string[],
    read: (items: readonly unknown[]) => PlatformPost[],
  ): Promise<PlatformPost[]> {
    const parameters = { part: VIDEO_PARTS, id: ids.join(',') }
    const { items } = await call(ctx, { resource: 'videos', parameters, operation, items: ids.length })
    return distinctBy(read(items), (post) => post.platformPostId)
  }

  return {
    platform: 'youtube',
    refreshBatchSize: BATCH_SIZE,
    profileBatchSize: BATCH_SIZE,
    batchBy: 'host',

    async resolve(ctx, input) {
      const name = readAccountName(input, 'youtube', HANDLE)
      if (name === null)
        throw refuseInput(
          input,
          'youtube',
          'A YouTube channel is named like @ada, by its id (UC…), or by the address of its page.',
        )
      const { items } = await call(ctx, {
        resource: 'channels',
        parameters: { part: CHANNEL_PARTS, ...channelFilter(name) },
        operation: 'account.find',
        items: 1,
      })
      const [channel] = readEntries(ctx, items, WHO, (entry) => Channel.parse(entry))
      if (channel === undefined) throw new PlatformError('gone', 'There is no such channel on YouTube.')
      const uploads = channel.contentDetails?.relatedPlaylists.uploads
      // Its videos are read from there without asking; where that were wrong, we would read none, or others'.
      if (uploads && uploads !== uploadsOf(channel.id))
        throw new PlatformError('bad_answer', 'The videos of this channel are not where YouTube keeps them.')
      return toAccountProfile(channel)
    },

    async fetchProfiles(ctx, accounts) {
      const wanted = new Set(accounts.map(({ externalId }) => externalId))
      const found: AccountProfile[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const { items } = await call(ctx, {
          resource: 'channels',
          parameters: { part: CHANNEL_PARTS, id: batch.join(','), maxResults: String(BATCH_SIZE) },
          operation: 'profiles.read',
          items: batch.length,
        })
        const profiles = readEntries(ctx, items, WHO, (entry) => toAccountProfile(Channel.parse(entry)))
        found.push(...profiles.filter(({ externalId }) => wanted.has(externalId)))
      }
      return distinctBy(found, ({ externalId }) => externalId)
    },

    async fetchPosts(ctx, account, cursor): Promise<PostPage> {
      const parameters = {
        part: 'contentDetails',
        playlistId: uploadsOf(account.externalId),
        maxResults: String(BATCH_SIZE),
        ...(cursor === null ? {} : { pageToken: cursor }),
      }
      const list = { resource: 'playlistItems', operation: 'posts.list', items: BATCH_SIZE } as const
      const page = await call(ctx, { ...list, parameters })
      const listed = readEntries(
        ctx,
        page.items,
        WHO,
        (item) => PlaylistItem.parse(item).contentDetails.videoId,
      )
      const wanted = new Set(listed)
      const posts: PlatformPost[] = []
      for (const ids of chunksOf([...wanted], BATCH_SIZE)) {
        const videos = await readVideos(ctx, 'posts.list', ids, (items) =>
          readEntries(ctx, items, WHO, readVideo),
        )
        posts.push(...videos.filter((post) => wanted.has(post.platformPostId)))
      }
      const next = page.nextPageToken ?? null
      return {
        posts: posts.toSorted((a, b) => Date.parse(b.postedAt) - Date.parse(a.postedAt)),
        // A token that stands still would be followed for ever.
        nextCursor: next === '' || next === cursor ? null : next,
      }
    },

    // An id that is none would fail the whole call: those of imports are not asked for.
    async refreshPosts(ctx, _scope, posts) {
      const wanted = momentsOf(posts.filter(({ id }) => isVideoId(id)))
      const found: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const ids = batch.map(([id]) => id)
        const read = (items: readonly unknown[]) => readKnownPosts(ctx, items, WHO, new Map(batch), readVideo)
        found.push(...(await readVideos(ctx, 'posts.refresh', ids, read)))
      }
      return found
    },
  }
}

/** The playlist of all that a channel has uploaded. */
function uploadsOf(channelId: string): string {
  return `UU${channelId.slice(2)}`
}

/** How a channel is asked for by its id, a name from the time before handles, or its handle. */
function channelFilter(name: string): { id: string } | { forUsername: string } | { forHandle: string } {
  if (CHANNEL_ID.test(name)) return { id: name }
  const [, section, rest = ''] = /^(user|c)\/(.+)$/u.exec(name) ?? []
  if (section === 'user') return { forUsername: rest }
  // A custom address (`/c/`) cannot be asked for; most channels have taken the same name for their handle.
  return { forHandle: `@${(section === 'c' ? rest : name).replace(/^@/u, '')}` }
}

function toAccountProfile({ id, snippet, statistics }: Channel): AccountProfile {
  const handle = snippet.customUrl?.startsWith('@') ? snippet.customUrl : null
  return {
    externalId: id,
    host: null,
    handle: handle ?? id,
    displayName: snippet.title,
    url: `https://www.youtube.com/${handle ?? `channel/${id}`}`,
    avatarUrl: snippet.thumbnails?.default.url ?? null,
    // Rounded down to three digits by YouTube.
    followers: statistics?.hiddenSubscriberCount === false ? statistics.subscriberCount : null,
    following: null,
    posts: statistics?.videoCount ?? null,
  }
}
