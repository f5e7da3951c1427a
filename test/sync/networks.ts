import { HANDLERS, type PlatformLimits } from '../../scripts/local/platforms/handlers.ts'
import { createMastodonTokens } from '../../scripts/local/platforms/mastodon-tokens.ts'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import type { WebHandler } from '../../scripts/local/platforms/platform-handler.ts'
import { createStats, type Stats } from '../../scripts/local/platforms/stats.ts'
import type { World } from '../../scripts/local/platforms/world.ts'
import { createXHandler, SIMULATED_BEARER_TOKEN } from '../../scripts/local/platforms/x.ts'
import { createXCharges } from '../../scripts/local/platforms/x-charges.ts'
import { SIMULATED_API_KEY } from '../../scripts/local/platforms/youtube.ts'
import type { PlatformApps } from '../../src/adapters/platforms/index.ts'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'

/** The ten platforms, simulated in this process: what answers as each, and what it has counted. */

/** Where each is found; the one Mastodon server is known by what follows the second `@` of its handles. */
export const HOSTS: Record<Platform, string> = {
  bluesky: '127.0.0.1:2584',
  mastodon: '127.0.0.1:3000',
  youtube: '127.0.0.1:3101',
  x: '127.0.0.1:3102',
  instagram: '127.0.0.1:3103',
  threads: '127.0.0.1:3104',
  facebook: '127.0.0.1:3105',
  tiktok: '127.0.0.1:3106',
  linkedin: '127.0.0.1:3107',
  reddit: '127.0.0.1:3108',
}

/** The deployment's apps, as the simulated platforms know them. */
export const APPS: PlatformApps = {
  youtube: { apiKey: SIMULATED_API_KEY },
  x: { bearerToken: SIMULATED_BEARER_TOKEN },
  meta: SIMULATED_CLIENT,
  threads: SIMULATED_CLIENT,
  tiktok: SIMULATED_CLIENT,
  linkedin: SIMULATED_CLIENT,
  reddit: SIMULATED_CLIENT,
}

export type { PlatformLimits }

/** Room for everything at once, as it is granted to apps that LinkedIn has looked at: there, and here. */
export const ROOMY = {
  limits: { linkedin: { application: 100_000, member: 100_000 } },
  ourLimits: { 'linkedin.app': 100_000, 'linkedin.member': 100_000 },
}

export class Networks {
  readonly stats: Record<Platform, Stats> = byPlatform(() => createStats())
  /** X's bill. */
  readonly charges = createXCharges()
  /** Of the Mastodon server, which can be closed to those without one. */
  readonly tokens = createMastodonTokens()
  readonly #handlers: Record<Platform, WebHandler>

  constructor(world: World, limits: PlatformLimits = {}) {
    this.#handlers = byPlatform((platform) => {
      const stats = this.stats[platform]
      if (platform === 'x')
        return createXHandler(world, { stats, limits: limits.x ?? {}, charges: this.charges })
      const create = HANDLERS[platform]
      if (create === undefined) throw new Error(`Nothing answers as ${platform}`)
      return create(world, { stats, limits, mastodonTokens: this.tokens })
    })
  }

  answer(platform: Platform, request: Request): Promise<Response> {
    return this.#handlers[platform](request)
  }
}

/** Addresses of all platforms that are found at an address of their own. */
export function addresses(): Record<Platform, string> {
  return byPlatform((platform) => `http://${HOSTS[platform]}`)
}

/** Whose an address is; `null`: nobody's. */
export function platformAt({ host }: URL): Platform | null {
  return PLATFORMS.find((platform) => HOSTS[platform] === host) ?? null
}

function byPlatform<T>(make: (platform: Platform) => T): Record<Platform, T> {
  return {
    bluesky: make('bluesky'),
    mastodon: make('mastodon'),
    youtube: make('youtube'),
    x: make('x'),
    instagram: make('instagram'),
    threads: make('threads'),
    facebook: make('facebook'),
    tiktok: make('tiktok'),
    linkedin: make('linkedin'),
    reddit: make('reddit'),
  }
}
