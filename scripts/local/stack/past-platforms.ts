import type { Platform } from '../../../src/domain/platforms.ts'
import { HANDLERS, type PlatformLimits } from '../platforms/handlers.ts'
import type { World } from '../platforms/index.ts'
import { createMastodonTokens } from '../platforms/mastodon-tokens.ts'
import type { WebHandler } from '../platforms/platform-handler.ts'
import { createStats } from '../platforms/stats.ts'

const any = Number.POSITIVE_INFINITY

/** Months are read within seconds. */
const UNLIMITED: Required<PlatformLimits> = {
  bluesky: { requests: any },
  mastodon: { requests: any, pagedRequests: any },
  youtube: { units: any, callsAMinute: any },
  x: { posts: any, timelines: any, users: any },
  instagram: { account: any, people: any },
  facebook: { account: any, people: any },
  threads: { requests: any },
  tiktok: { requests: any },
  linkedin: { application: any, member: any },
  reddit: { requests: any },
}

/**
 * Answers as the simulated platforms did, or do, at the moment that a clock shows.
 * @param now in milliseconds since 1970
 */
export function createPastPlatforms(world: World, now: () => number): (platform: Platform) => WebHandler {
  const past: World = {
    ...world,
    now,
    account: (platform, handleOrId, t = now()) => world.account(platform, handleOrId, t),
    post: (platform, id, t = now()) => world.post(platform, id, t),
  }
  const handlers = new Map<Platform, WebHandler>()
  return (platform) => {
    const known = handlers.get(platform)
    if (known !== undefined) return known
    const create = HANDLERS[platform]
    if (create === undefined) throw new Error(`${platform} is not simulated`)
    const handler = create(past, {
      stats: createStats(),
      limits: UNLIMITED,
      mastodonTokens: createMastodonTokens(),
    })
    handlers.set(platform, handler)
    return handler
  }
}
