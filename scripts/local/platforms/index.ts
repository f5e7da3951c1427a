import { type HttpServer, listen } from '../lib/http-server.ts'
import { type BlueskyLimits, createBlueskyHandler } from './bluesky.ts'
import { createControlHandler } from './control.ts'
import { createMastodonHandler, type MastodonLimits } from './mastodon.ts'
import { createMastodonTokens } from './mastodon-tokens.ts'
import { createStats } from './stats.ts'
import { toNodeHandler } from './web-adapter.ts'
import { createWorld, type World, type WorldOptions } from './world.ts'

export { createBlueskyHandler } from './bluesky.ts'
export { createMastodonHandler } from './mastodon.ts'
export { createWorld, type World } from './world.ts'

export interface PlatformsOptions extends Omit<WorldOptions, 'now'> {
  /** Epoch milliseconds; the system's clock by default. */
  now?: () => number
  /** 0 or none: any free port. */
  ports?: { bluesky?: number; mastodon?: number; control?: number }
  limits?: { bluesky?: Partial<BlueskyLimits>; mastodon?: Partial<MastodonLimits> }
}

export interface Platforms {
  bluesky: { url: string }
  /** `host` is what stands behind the second `@` of a handle. */
  mastodon: { url: string; host: string }
  control: { url: string }
  world: World
  /** Ends all servers. May be called twice. */
  stop(): Promise<void>
}

/** Starts both platforms and the control interface, each on a port of its own. @throws when a port is taken. */
export async function startPlatforms(options: PlatformsOptions): Promise<Platforms> {
  const { ports = {}, limits = {}, now = Date.now, ...worldOptions } = options
  const world = createWorld({ ...worldOptions, now })
  const stats = { bluesky: createStats(), mastodon: createStats() }
  const tokens = createMastodonTokens()
  const servers: HttpServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
  }
  const open = async (handler: Parameters<typeof toNodeHandler>[0], port = 0): Promise<HttpServer> => {
    const server = await listen(toNodeHandler(handler), { port })
    servers.push(server)
    return server
  }
  try {
    const bluesky = await open(
      createBlueskyHandler(world, { stats: stats.bluesky, limits: limits.bluesky ?? {} }),
      ports.bluesky,
    )
    const mastodon = await open(
      createMastodonHandler(world, { stats: stats.mastodon, limits: limits.mastodon ?? {}, tokens }),
      ports.mastodon,
    )
    const { host } = new URL(mastodon.url)
    const control = await open(
      createControlHandler(world, { stats, mastodonHost: host, tokens }),
      ports.control,
    )
    return {
      bluesky: { url: bluesky.url },
      mastodon: { url: mastodon.url, host },
      control: { url: control.url },
      world,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
