import { createBlueskyHandler } from '../../scripts/local/platforms/bluesky.ts'
import { createFacebookHandler } from '../../scripts/local/platforms/facebook.ts'
import type { PlatformLimits } from '../../scripts/local/platforms/handlers.ts'
import { createInstagramHandler } from '../../scripts/local/platforms/instagram.ts'
import { createLinkedInHandler, type LinkedInLimits } from '../../scripts/local/platforms/linkedin.ts'
import { createMastodonHandler } from '../../scripts/local/platforms/mastodon.ts'
import type { MetaHandlerOptions } from '../../scripts/local/platforms/meta.ts'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import { createRedditHandler } from '../../scripts/local/platforms/reddit.ts'
import { createThreadsHandler, type ThreadsLimits } from '../../scripts/local/platforms/threads.ts'
import { createTikTokHandler, type TikTokLimits } from '../../scripts/local/platforms/tiktok.ts'
import type { AccountSpec } from '../../scripts/local/platforms/types.ts'
import {
  createXHandler,
  SIMULATED_BEARER_TOKEN,
  type XHandlerOptions,
} from '../../scripts/local/platforms/x.ts'
import { createXCharges, type XCharges } from '../../scripts/local/platforms/x-charges.ts'
import { createYouTubeHandler, SIMULATED_API_KEY } from '../../scripts/local/platforms/youtube.ts'
import { createConnectors, type PlatformApps } from '../../src/adapters/platforms/index.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { createXConnector } from '../../src/adapters/platforms/x.ts'
import type { Platform } from '../../src/domain/platforms.ts'
import type { PlatformConnector } from '../../src/ports.ts'
import { type Peer, startPeer } from './peer.ts'

/** The ten platforms: how each is simulated, and how long its accounts have been posting. */

export const HOST = '127.0.0.1:2590'
export const ORIGIN = `http://${HOST}`

/** The connector of a platform, found at the address of the simulated one. */
function connectorOf(platform: Platform, apps: PlatformApps = {}): PlatformConnector {
  const connector = createConnectors({ allowPrivateHosts: true, apps, urls: { [platform]: ORIGIN } })[
    platform
  ]
  if (connector === undefined) throw new Error(`There is no connector for ${platform}`)
  return connector
}

type OpenPlatform = 'bluesky' | 'mastodon'

export function startOpen(
  platform: OpenPlatform,
  limits: { requests?: number; pagedRequests?: number } = {},
): Peer {
  const create = platform === 'bluesky' ? createBlueskyHandler : createMastodonHandler
  return startPeer({
    ...{ platform, seed: 'connectors', origin: ORIGIN, historyDays: 60, accounts: 2 },
    handler: (world, stats) => create(world, { limits, stats }),
    connector: connectorOf(platform),
  })
}

/** Long enough for several pages of what a channel uploads. */
export function startYouTube(
  limits: PlatformLimits['youtube'] = {},
  apiKey: string = SIMULATED_API_KEY,
): Peer {
  return startPeer({
    ...{ platform: 'youtube', seed: 'youtube', origin: ORIGIN, historyDays: 400, accounts: 3 },
    handler: (world, stats) => createYouTubeHandler(world, { limits, stats }),
    connector: connectorOf('youtube', { youtube: { apiKey } }),
  })
}

export type XOptions = Omit<XHandlerOptions, 'charges' | 'stats'>

export function startX(
  options: XOptions = {},
  bearerToken: string = SIMULATED_BEARER_TOKEN,
): Peer & { charges: XCharges } {
  const charges = createXCharges()
  const peer = startPeer({
    ...{ platform: 'x', seed: 'x', origin: ORIGIN, historyDays: 50, accounts: 2 },
    handler: (world, stats) => createXHandler(world, { ...options, stats, charges }),
    // Its posts keep their public addresses.
    connector: createXConnector({
      ...{ app: { bearerToken }, apiUrl: ORIGIN, userAgent: 'Tidemark', ruleOf: createRules() },
    }),
  })
  return { ...peer, charges }
}

export type MetaNetwork = 'instagram' | 'facebook'

export function startMeta(
  platform: MetaNetwork,
  options: Omit<MetaHandlerOptions, 'now' | 'stats'> = {},
): Peer {
  const create = platform === 'instagram' ? createInstagramHandler : createFacebookHandler
  return startPeer({
    ...{ platform, seed: 'meta', origin: ORIGIN, historyDays: 60, accounts: 3 },
    handler: (world, stats) => create(world, { ...options, stats }),
    connector: connectorOf(platform, { meta: SIMULATED_CLIENT }),
  })
}

export function startThreads(
  options: { limits?: Partial<ThreadsLimits>; expandsInsights?: boolean } = {},
): Peer {
  return startPeer({
    ...{ platform: 'threads', seed: 'threads', origin: ORIGIN, historyDays: 60, accounts: 2 },
    handler: (world, stats) => createThreadsHandler(world, { stats, ...options }),
    connector: connectorOf('threads', { threads: SIMULATED_CLIENT }),
  })
}

export function startTikTok(limits: Partial<TikTokLimits> = {}): Peer {
  return startPeer({
    ...{ platform: 'tiktok', seed: 'tiktok', origin: ORIGIN, historyDays: 120, accounts: 2 },
    handler: (world, stats) => createTikTokHandler(world, { stats, limits }),
    connector: connectorOf('tiktok', { tiktok: SIMULATED_CLIENT }),
  })
}

export function startLinkedIn(
  limits: Partial<LinkedInLimits> = { application: 10_000, member: 10_000 },
  givesRefreshTokens = true,
): Peer {
  return startPeer({
    ...{ platform: 'linkedin', seed: 'linkedin', origin: ORIGIN, historyDays: 300, accounts: 3 },
    handler: (world, stats) => createLinkedInHandler(world, { limits, stats, givesRefreshTokens }),
    connector: connectorOf('linkedin', { linkedin: SIMULATED_CLIENT }),
  })
}

/** @param accounts how many people, or others in their place */
export function startReddit(
  limits: PlatformLimits['reddit'] = {},
  given: { secret?: string; accounts?: number | readonly AccountSpec[] } = {},
): Peer {
  const { secret = SIMULATED_CLIENT.secret, accounts = 3 } = given
  return startPeer({
    ...{ platform: 'reddit', seed: 'reddit', origin: ORIGIN, historyDays: 200, accounts },
    handler: (world, stats) => createRedditHandler(world, { limits, stats }),
    connector: connectorOf('reddit', { reddit: { ...SIMULATED_CLIENT, secret } }),
  })
}
