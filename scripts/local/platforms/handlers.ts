import { type BlueskyLimits, createBlueskyHandler } from './bluesky.ts'
import { createFacebookHandler } from './facebook.ts'
import { createInstagramHandler } from './instagram.ts'
import { createLinkedInHandler, type LinkedInLimits } from './linkedin.ts'
import { createMastodonHandler, type MastodonLimits } from './mastodon.ts'
import type { MastodonTokens } from './mastodon-tokens.ts'
import type { MetaLimits } from './meta.ts'
import type { WebHandler } from './platform-handler.ts'
import { createRedditHandler, type RedditLimits } from './reddit.ts'
import type { Stats } from './stats.ts'
import { createThreadsHandler, type ThreadsLimits } from './threads.ts'
import { createTikTokHandler, type TikTokLimits } from './tiktok.ts'
import type { PlatformName } from './types.ts'
import type { World } from './world.ts'
import { createXHandler, type XLimits } from './x.ts'
import { createYouTubeHandler, type YouTubeLimits } from './youtube.ts'

/** Limits other than the usual ones, by platform. */
export interface PlatformLimits {
  bluesky?: Partial<BlueskyLimits>
  mastodon?: Partial<MastodonLimits>
  linkedin?: Partial<LinkedInLimits>
  instagram?: Partial<MetaLimits>
  facebook?: Partial<MetaLimits>
  youtube?: Partial<YouTubeLimits>
  reddit?: Partial<RedditLimits>
  threads?: Partial<ThreadsLimits>
  tiktok?: Partial<TikTokLimits>
  x?: Partial<XLimits>
}

export interface HandlerOptions {
  stats: Stats
  limits: PlatformLimits
  mastodonTokens: MastodonTokens
}

/** What answers as each platform; a platform that is not here is not simulated. */
export const HANDLERS: Partial<Record<PlatformName, (world: World, options: HandlerOptions) => WebHandler>> =
  {
    bluesky: (world, { stats, limits }) =>
      createBlueskyHandler(world, { stats, limits: limits.bluesky ?? {} }),
    mastodon: (world, { stats, limits, mastodonTokens }) =>
      createMastodonHandler(world, { stats, limits: limits.mastodon ?? {}, tokens: mastodonTokens }),
    youtube: (world, { stats, limits }) =>
      createYouTubeHandler(world, { stats, limits: limits.youtube ?? {} }),
    reddit: (world, { stats, limits }) => createRedditHandler(world, { stats, limits: limits.reddit ?? {} }),
    threads: (world, { stats, limits }) =>
      createThreadsHandler(world, { stats, limits: limits.threads ?? {} }),
    tiktok: (world, { stats, limits }) => createTikTokHandler(world, { stats, limits: limits.tiktok ?? {} }),
    x: (world, { stats, limits }) => createXHandler(world, { stats, limits: limits.x ?? {} }),
    linkedin: (world, { stats, limits }) =>
      createLinkedInHandler(world, { stats, limits: limits.linkedin ?? {} }),
    instagram: (world, { stats, limits }) =>
      createInstagramHandler(world, { stats, limits: limits.instagram ?? {} }),
    facebook: (world, { stats, limits }) =>
      createFacebookHandler(world, { stats, limits: limits.facebook ?? {} }),
  }
