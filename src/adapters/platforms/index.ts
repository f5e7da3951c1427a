import type { Platform } from '../../domain/platforms.ts'
import type { PlatformConnector } from '../../ports.ts'
import { createBlueskyConnector } from './bluesky.ts'
import { createMastodonConnector } from './mastodon.ts'

export interface ConnectorOptions {
  /** The AppView that Bluesky is read from; the network's public one by default. */
  blueskyAppViewUrl?: string | undefined
  /** Whether servers in private networks may be called; see `createGuardedFetch`. */
  allowPrivateHosts?: boolean | undefined
  /** How we name ourselves to platforms. Some servers refuse callers without a name. */
  userAgent?: string | undefined
}

export const PUBLIC_APP_VIEW_URL = 'https://public.api.bsky.app'
const USER_AGENT = 'Tidemark (social media analytics; reads public posts only)'

/** The connectors of the platforms that can be read, by platform; one that is missing is not connectable. */
export function createConnectors(
  options: ConnectorOptions = {},
): Partial<Record<Platform, PlatformConnector>> {
  const {
    blueskyAppViewUrl = PUBLIC_APP_VIEW_URL,
    allowPrivateHosts = false,
    userAgent = USER_AGENT,
  } = options
  return {
    bluesky: createBlueskyConnector({ appViewUrl: blueskyAppViewUrl, userAgent }),
    mastodon: createMastodonConnector({ allowHttp: allowPrivateHosts, userAgent }),
  }
}
