import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { type HttpServer, listen } from '../lib/http-server.ts'
import { createControlHandler } from './control.ts'
import { HANDLERS, type PlatformLimits } from './handlers.ts'
import { createMastodonTokens } from './mastodon-tokens.ts'
import type { WebHandler } from './platform-handler.ts'
import { showMoment } from './shown-moment.ts'
import { createStats, type Stats } from './stats.ts'
import type { PlatformName } from './types.ts'
import { toNodeHandler } from './web-adapter.ts'
import { createWorld, type World, type WorldOptions } from './world.ts'

export type { PlatformLimits } from './handlers.ts'
export { createWorld, type World } from './world.ts'

export interface PlatformsOptions extends Omit<WorldOptions, 'now'> {
  /** Epoch milliseconds; the system's clock by default. */
  now?: () => number
  /** 0 or none: any free port. */
  ports?: Partial<Record<PlatformName | 'control', number>>
  limits?: PlatformLimits
  /** The moment whose posts and figures are shown (epoch milliseconds), while the clock goes on; else the present. */
  shownMs?: () => number
}

export interface Platforms {
  bluesky: { url: string }
  /** `host` is what stands behind the second `@` of a handle. */
  mastodon: { url: string; host: string }
  /** The address of every platform that is simulated. */
  urls: Partial<Record<PlatformName, string>>
  control: { url: string }
  world: World
  /** Ends all servers. May be called twice. */
  stop(): Promise<void>
}

/** Starts all platforms and the control interface, each on a port of its own. @throws when a port is taken. */
export async function startPlatforms(options: PlatformsOptions): Promise<Platforms> {
  const { ports = {}, limits = {}, now = Date.now, shownMs, ...worldOptions } = options
  const world = createWorld({ ...worldOptions, now })
  const shown = shownMs === undefined ? world : showMoment(world, shownMs)
  const tokens = createMastodonTokens()
  const servers: HttpServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
  }
  const open = async (handler: WebHandler, port = 0): Promise<HttpServer> => {
    const server = await listen(toNodeHandler(handler), { port })
    servers.push(server)
    return server
  }
  try {
    const stats: Partial<Record<PlatformName, Stats>> = {}
    const urls: Partial<Record<PlatformName, string>> = {}
    for (const platform of PLATFORMS) {
      const createHandler = HANDLERS[platform]
      if (!createHandler) continue
      const counted = createStats()
      const handler = createHandler(shown, { stats: counted, limits, mastodonTokens: tokens })
      urls[platform] = (await open(handler, ports[platform])).url
      stats[platform] = counted
    }
    const [bluesky, mastodon] = [urls.bluesky, urls.mastodon]
    if (bluesky === undefined || mastodon === undefined) throw new Error('A handler is missing')
    const { host } = new URL(mastodon)
    const control = await open(
      createControlHandler(world, { stats, mastodonHost: host, tokens }),
      ports.control,
    )
    return {
      bluesky: { url: bluesky },
      mastodon: { url: mastodon, host },
      urls,
      control: { url: control.url },
      world,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
