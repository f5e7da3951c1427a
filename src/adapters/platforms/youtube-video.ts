import * as z from 'zod'
import { extractHashtags } from '../../domain/hashtags.ts'
import { noMetrics } from '../../domain/platforms.ts'
import type { PlatformPost } from '../../ports.ts'
import { OptionalName, OptionalText, readTimestamp } from './fields.ts'
import { isPlausible, postedAtOf } from './moments.ts'
import { refuseValue } from './refused-values.ts'

/** No video is older: the domain was registered on this day. */
const YOUTUBE_SINCE_MS = Date.UTC(2005, 1, 14)

function refuseDecimal(sent: unknown): null {
  if (sent !== null && sent !== undefined) refuseValue(sent, 'is no count in decimal digits')
  return null
}

/** A count as YouTube writes it, in decimal digits. A key that is missing is one that is hidden. */
export const DecimalCount = z
  .string()
  .regex(/^\d{1,16}$/u)
  .transform(Number)
  .refine(Number.isSafeInteger)
  .nullable()
  .catch(({ value }) => refuseDecimal(value))

const Video = z.object({
  id: z.string().regex(/^[\w-]{11}$/u),
  snippet: z.object({
    publishedAt: OptionalText,
    title: OptionalName,
    description: OptionalName,
    liveBroadcastContent: OptionalText,
  }),
  status: z.object({ privacyStatus: z.string() }),
  statistics: z
    .object({ viewCount: DecimalCount, likeCount: DecimalCount, commentCount: DecimalCount })
    .catch({ viewCount: null, likeCount: null, commentCount: null }),
  liveStreamingDetails: z.object({ actualStartTime: OptionalText }).catch({ actualStartTime: null }),
})

/** What `videos.list` is asked for: no more than `readVideo` reads. */
export const VIDEO_PARTS = 'snippet,statistics,status,liveStreamingDetails'

/** Whether an id is one of a video, of which YouTube can be asked. */
export function isVideoId(id: string): boolean {
  return /^[\w-]{11}$/u.test(id)
}

/**
 * Reads a video as `videos.list` gives it; throws when it is malformed. `null` for what not everybody gets to
 * see: private and unlisted videos, and streams that are announced and have not begun.
 */
export function readVideo(entry: unknown): PlatformPost | null {
  const { id, snippet, status, statistics, liveStreamingDetails } = Video.parse(entry)
  const startedAtMs = readTimestamp(liveStreamingDetails.actualStartTime)
  const isStarted = isPlausible(startedAtMs, YOUTUBE_SINCE_MS, liveStreamingDetails.actualStartTime)
  const isAnnounced = snippet.liveBroadcastContent === 'upcoming' && !isStarted
  if (status.privacyStatus !== 'public' || isAnnounced) return null
  const text = [snippet.title, snippet.description].filter((part) => part !== null).join('\n\n')
  const url = `https://www.youtube.com/watch?v=${id}`
  return {
    platformPostId: id,
    kind: 'post',
    text: text === '' ? null : text,
    // `snippet.tags` are words for the search, which nobody sees.
    hashtags: extractHashtags(text),
    url,
    // Of a stream, when it began: it may have been published days before, as an announcement.
    postedAt: isStarted
      ? new Date(startedAtMs).toISOString()
      : postedAtOf(
          { id, sent: snippet.publishedAt, atMs: readTimestamp(snippet.publishedAt) },
          YOUTUBE_SINCE_MS,
        ),
    media: [{ type: 'video', url, alt: null }],
    metrics: {
      ...noMetrics(),
      likes: statistics.likeCount,
      comments: statistics.commentCount,
      views: statistics.viewCount,
    },
  }
}
