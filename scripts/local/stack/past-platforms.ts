import type { Platform } from '../../../src/domain/platforms.ts'
import { HANDLERS, type PlatformLimits } from '../platforms/handlers.ts'
import type { World } from '../platforms/index.ts'
import { createMastodonTokens } from '../platforms/mastodon-tokens.ts'
import type { WebHandler } from '../platforms/platform-handler.ts'
import { createStats } from '../platforms/stats.ts'

const UNBOUNDED = Number.POSITIVE_INFINITY

/** Months are read within seconds. */
const UNLIMITED: Required<PlatformLimits> = {
  bluesky: { requests: UNBOUNDED },
  mastodon: { requests: UNBOUNDED, pagedRequests: UNBOUNDED },
  youtube: { units: UNBOUNDED, callsAMinute: UNBOUNDED },
  x: { posts: UNBOUNDED, timelines: UNBOUNDED, users: UNBOUNDED },
  instagram: { account: UNBOUNDED, people: UNBOUNDED },
  facebook: { account: UNBOUNDED, people: UNBOUNDED },
  threads: { requests: UNBOUNDED },
  tiktok: { requests: UNBOUNDED },
  linkedin: { application: UNBOUNDED, member: UNBOUNDED },
  reddit: { requests: UNBOUNDED },
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
