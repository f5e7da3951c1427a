import { HANDLERS, type PlatformLimits } from '../../../scripts/local/platforms/handlers.ts'
import { createMastodonTokens } from '../../../scripts/local/platforms/mastodon-tokens.ts'
import { SIMULATED_CLIENT } from '../../../scripts/local/platforms/oauth-server.ts'
import type { WebHandler } from '../../../scripts/local/platforms/platform-handler.ts'
import { createStats, type Stats } from '../../../scripts/local/platforms/stats.ts'
import { SIMULATED_BEARER_TOKEN } from '../../../scripts/local/platforms/x.ts'
import { SIMULATED_API_KEY } from '../../../scripts/local/platforms/youtube.ts'
import { createGuardedFetch } from '../../../src/adapters/guarded-fetch.ts'
import type { ConnectorOptions } from '../../../src/adapters/platforms/index.ts'
import { PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import type { ServiceDeps } from '../../../src/services/context.ts'
import { forEach } from '../rounds.ts'
import type { StandingWorlds } from './standing-worlds.ts'

/** Where the Mastodon servers are; each has limits of its own. */
export const MASTODON_HOSTS = [
  '127.0.0.1:3000',
  '127.0.0.1:3001',
  '127.0.0.1:3002',
  '127.0.0.1:3003',
  '127.0.0.1:3004',
]

/** Calls in a day as apps have them that LinkedIn has approved. A new app's 500 are for trying it out. */
const LINKEDIN_CALLS = 100_000

const PLATFORM_LIMITS: PlatformLimits = { linkedin: { application: LINKEDIN_CALLS, member: LINKEDIN_CALLS } }

/** The connectors as an operator sets them up whose apps are approved. */
export const CONNECTOR_OPTIONS: ConnectorOptions = {
  allowPrivateHosts: true,
  apps: {
    youtube: { apiKey: SIMULATED_API_KEY },
    x: { bearerToken: SIMULATED_BEARER_TOKEN },
    meta: SIMULATED_CLIENT,
    threads: SIMULATED_CLIENT,
    tiktok: SIMULATED_CLIENT,
    linkedin: SIMULATED_CLIENT,
    reddit: SIMULATED_CLIENT,
  },
  urls: Object.fromEntries(
    PLATFORMS.filter((platform) => platform !== 'mastodon').map((platform, i) => [
      platform,
      `http://127.0.0.1:${4_000 + i}`,
    ]),
  ),
  limits: { 'linkedin.app': LINKEDIN_CALLS, 'linkedin.member': LINKEDIN_CALLS },
}

/** The platforms as one client sees them: with limits and counters that no other client gets in the way of. */
export interface Networks {
  stats: Record<Platform, Stats>
  fetchFor: ServiceDeps['fetchFor']
  answer(platform: Platform, request: Request): Promise<Response>
}

export function viewNetworks(worlds: StandingWorlds): Networks {
  const stats = forEach(PLATFORMS, () => createStats())
  const mastodonTokens = createMastodonTokens()
  const handlers = new Map<string, WebHandler>()
  /** One for each server: what a server counts is nothing to the next. */
  const handlerOf = (platform: Platform, host: string): WebHandler => {
    const name = platform === 'mastodon' ? `mastodon ${host}` : platform
    const create = HANDLERS[platform]
    if (create === undefined) throw new Error(`Nothing answers as ${platform}`)
    const options = { stats: stats[platform], limits: PLATFORM_LIMITS, mastodonTokens }
    const handler = handlers.get(name) ?? create(worlds.of(platform), options)
    handlers.set(name, handler)
    return handler
  }
  const answer = (platform: Platform, request: Request) =>
    handlerOf(platform, new URL(request.url).host)(request)
  return {
    stats,
    answer,
    fetchFor: (platform) =>
      createGuardedFetch({
        allowPrivateHosts: true,
        fetch: (url, init) => answer(platform, new Request(url, init)),
      }),
  }
}
