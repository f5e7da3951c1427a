import type { Platform } from '../../domain/platforms.ts'
import type { PlatformConnector } from '../../ports.ts'
import { createBlueskyConnector } from './bluesky.ts'
import { createFacebookConnector } from './facebook.ts'
import { createInstagramConnector } from './instagram.ts'
import { createRules, type LimitOverrides } from './limits.ts'
import { createLinkedInConnector } from './linkedin.ts'
import { createMastodonConnector } from './mastodon.ts'
import { createRedditConnector, REDDIT_API_URL, REDDIT_SITE_URL } from './reddit.ts'
import { createThreadsConnector } from './threads.ts'
import { THREADS_API_URL } from './threads-api.ts'
import { createTikTokConnector } from './tiktok.ts'
import { TIKTOK_API_URL } from './tiktok-api.ts'
import { createXConnector, X_API_URL } from './x.ts'
import { createYoutubeConnector, YOUTUBE_API_URL } from './youtube.ts'

/** What the deployment's own apps at the platforms are called with; one that is missing is not connectable. */
export interface PlatformApps {
  youtube?: { apiKey: string } | undefined
  x?: { bearerToken: string } | undefined
  /** Instagram and Facebook pages, through Facebook Login. */
  meta?: OAuthApp | undefined
  threads?: OAuthApp | undefined
  tiktok?: OAuthApp | undefined
  linkedin?: OAuthApp | undefined
  reddit?: OAuthApp | undefined
}

/** An app as a platform knows it. */
export interface OAuthApp {
  id: string
  secret: string
}

export interface ConnectorOptions {
  /** The AppView that Bluesky is read from; the network's public one by default. */
  blueskyAppViewUrl?: string | undefined
  /** Whether servers in private networks may be called; see `createGuardedFetch`. */
  allowPrivateHosts?: boolean | undefined
  /** How we name ourselves to platforms. Some servers refuse callers without a name. */
  userAgent?: string | undefined
  apps?: PlatformApps | undefined
  /** Addresses in place of a platform's own, for its API and its pages alike, without a slash at the end. */
  urls?: Partial<Record<Platform, string>> | undefined
  /** Limits that the platforms granted this deployment in place of the usual ones. */
  limits?: LimitOverrides | undefined
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
    apps = {},
    urls = {},
    limits = {},
  } = options
  const usual = { userAgent, ruleOf: createRules(limits) }
  /** An address in place of a platform's own stands for its API and its pages alike. */
  const at = (platform: Platform) => {
    const url = urls[platform]
    return url === undefined ? usual : { ...usual, apiUrl: url, siteUrl: url }
  }
  const { youtube, x, meta, threads, tiktok, linkedin, reddit } = apps
  return {
    bluesky: createBlueskyConnector({ ...usual, appViewUrl: urls.bluesky ?? blueskyAppViewUrl }),
    mastodon: createMastodonConnector({ ...usual, allowHttp: allowPrivateHosts }),
    ...(youtube && {
      youtube: createYoutubeConnector({ apiUrl: YOUTUBE_API_URL, ...at('youtube'), app: youtube }),
    }),
    ...(x && {
      x: createXConnector({ apiUrl: X_API_URL, ...at('x'), app: x }),
    }),
    ...(meta && {
      instagram: createInstagramConnector({ ...at('instagram'), app: meta }),
      facebook: createFacebookConnector({ ...at('facebook'), app: meta }),
    }),
    ...(threads && {
      threads: createThreadsConnector({
        apiUrl: THREADS_API_URL,
        ...at('threads'),
        app: threads,
      }),
    }),
    ...(tiktok && {
      tiktok: createTikTokConnector({
        apiUrl: TIKTOK_API_URL,
        ...at('tiktok'),
        app: tiktok,
      }),
    }),
    ...(linkedin && { linkedin: createLinkedInConnector({ ...at('linkedin'), app: linkedin }) }),
    ...(reddit && {
      reddit: createRedditConnector({
        apiUrl: REDDIT_API_URL,
        siteUrl: REDDIT_SITE_URL,
        ...at('reddit'),
        app: reddit,
      }),
    }),
  }
}
