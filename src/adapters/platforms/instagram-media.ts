import * as z from 'zod'
import { extractHashtags } from '../../domain/hashtags.ts'
import { noMetrics } from '../../domain/platforms.ts'
import type { AccountProfile, PlatformPost, PostMedia } from '../../ports.ts'
import {
  Count,
  cleanText,
  LooseList,
  OptionalName,
  OptionalText,
  readTimestamp,
  WebAddress,
} from './fields.ts'
import { readInsights } from './meta-posts.ts'
import { postedAtOf } from './moments.ts'

const INSTAGRAM_BEGAN_MS = Date.UTC(2010, 9, 6)

export const PROFILE_FIELDS = 'id,username,name,profile_picture_url,followers_count,follows_count,media_count'
export const MEDIA_FIELDS =
  'id,caption,media_type,media_product_type,permalink,timestamp,like_count,comments_count'
/** Each of these has been refused for some media, or by some versions. */
export const EXTRA_MEDIA_FIELDS =
  'alt_text,children{media_type,alt_text},insights.metric(views,reach,saved,shares)'

const Profile = z.object({
  id: z.string().regex(/^\d{1,30}$/u),
  username: z.string().min(1).transform(cleanText),
  name: OptionalName,
  profile_picture_url: WebAddress,
  followers_count: Count,
  follows_count: Count,
  media_count: Count,
})

const Medium = z.object({ media_type: OptionalText, alt_text: OptionalName })

const MediaEntry = Medium.extend({
  id: z.string().regex(/^\d{1,30}$/u),
  caption: OptionalText,
  media_product_type: OptionalText,
  permalink: WebAddress,
  timestamp: OptionalText,
  like_count: Count,
  comments_count: Count,
  children: z.object({ data: LooseList }).catch({ data: [] }),
  insights: z.unknown().optional(),
})

/** Reads a professional account; throws when it is malformed. */
export function readInstagramProfile(entry: unknown): AccountProfile {
  const profile = Profile.parse(entry)
  return {
    externalId: profile.id,
    host: null,
    handle: profile.username,
    displayName: profile.name,
    url: `https://www.instagram.com/${encodeURIComponent(profile.username)}/`,
    avatarUrl: profile.profile_picture_url,
    followers: profile.followers_count,
    following: profile.follows_count,
    posts: profile.media_count,
  }
}

/** Files have signed addresses that soon end: `url` is the post's own, which stays. */
function toMedia({ media_type, alt_text }: z.infer<typeof Medium>, url: string | null): PostMedia {
  const type = media_type === 'IMAGE' ? 'image' : media_type === 'VIDEO' ? 'video' : 'other'
  return { type, url, alt: alt_text }
}

/** Reads a post; throws when it is malformed, `null` for stories and advertisements, which come and go. */
export function readInstagramMedia(json: unknown): PlatformPost | null {
  const entry = MediaEntry.parse(json)
  if (entry.media_product_type === 'STORY' || entry.media_product_type === 'AD') return null
  const insights = readInsights(entry.insights)
  const children = entry.children.data.flatMap((child) => Medium.safeParse(child).data ?? [])
  const shown = children.length === 0 ? [entry] : children
  return {
    platformPostId: entry.id,
    kind: 'post',
    text: entry.caption,
    hashtags: extractHashtags(entry.caption ?? ''),
    url: entry.permalink,
    postedAt: postedAtOf(
      { id: entry.id, sent: entry.timestamp, atMs: readTimestamp(entry.timestamp) },
      INSTAGRAM_BEGAN_MS,
    ),
    media: shown.map((medium) => toMedia(medium, entry.permalink)),
    metrics: {
      ...noMetrics(),
      likes: entry.like_count,
      comments: entry.comments_count,
      shares: insights.get('shares') ?? null,
      saves: insights.get('saved') ?? null,
      views: insights.get('views') ?? null,
      reach: insights.get('reach') ?? null,
    },
  }
}
