import * as z from 'zod'
import { extractHashtags } from '../../domain/hashtags.ts'
import { noMetrics } from '../../domain/platforms.ts'
import type { PlatformPost } from '../../ports.ts'
import { Count, OptionalText, WebAddress } from './fields.ts'
import { postedAtOf } from './moments.ts'

/** The network that became TikTok took its first videos in August 2014, and they are still there. */
const BEGAN_MS = Date.UTC(2014, 7, 1)

export const VIDEO_FIELDS =
  'id,create_time,share_url,video_description,title,like_count,comment_count,share_count,view_count'

const Video = z.object({
  id: z.string().regex(/^\d{1,20}$/u),
  /** Seconds since 1970. */
  create_time: z.number().nullable().catch(null),
  share_url: WebAddress,
  video_description: OptionalText,
  title: OptionalText,
  like_count: Count,
  comment_count: Count,
  share_count: Count,
  view_count: Count,
})

/** Whether an id is one that TikTok can be asked of. */
export function isVideoId(id: string): boolean {
  return Video.shape.id.safeParse(id).success
}

/** Without what TikTok adds to know who led there. */
function permalink(address: string | null): string | null {
  if (address === null) return null
  const url = new URL(address)
  url.search = ''
  url.hash = ''
  return url.href
}

/** Reads a video; throws when it is malformed. The address of its picture is left out: it ends after hours. */
export function readVideo(entry: unknown): PlatformPost {
  const video = Video.parse(entry)
  const text = video.video_description || video.title
  return {
    platformPostId: video.id,
    kind: 'post',
    text,
    hashtags: extractHashtags(text ?? ''),
    url: permalink(video.share_url),
    postedAt: postedAtOf(
      {
        id: video.id,
        sent: video.create_time,
        atMs: video.create_time === null ? null : video.create_time * 1_000,
      },
      BEGAN_MS,
    ),
    media: [{ type: 'video', url: null, alt: null }],
    metrics: {
      ...noMetrics(),
      likes: video.like_count,
      comments: video.comment_count,
      shares: video.share_count,
      views: video.view_count,
    },
  }
}
