import type { PlatformApps } from '../../../src/adapters/platforms/index.ts'
import { PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import type { Env } from '../../../src/env.ts'
import { SIMULATED_CLIENT } from '../platforms/oauth-server.ts'
import { SIMULATED_BEARER_TOKEN } from '../platforms/x.ts'
import { SIMULATED_API_KEY } from '../platforms/youtube.ts'
import type { Bindings, Variables } from './configuration.ts'

/** The deployment's apps as the simulated platforms know them. */
export const SIMULATED_APPS = {
  youtube: { apiKey: SIMULATED_API_KEY },
  x: { bearerToken: SIMULATED_BEARER_TOKEN },
  meta: SIMULATED_CLIENT,
  threads: SIMULATED_CLIENT,
  tiktok: SIMULATED_CLIENT,
  linkedin: SIMULATED_CLIENT,
  reddit: SIMULATED_CLIENT,
} as const satisfies PlatformApps

interface AppVariables {
  platforms: readonly Platform[]
  /** The variables that make up the app, with the simulator's values. */
  bindings: Partial<Record<keyof Env, string>>
}

const { youtube, x, meta, threads, tiktok, linkedin, reddit } = SIMULATED_APPS

const APPS: readonly AppVariables[] = [
  { platforms: ['youtube'], bindings: { YOUTUBE_API_KEY: youtube.apiKey } },
  { platforms: ['x'], bindings: { X_BEARER_TOKEN: x.bearerToken } },
  {
    platforms: ['instagram', 'facebook'],
    bindings: { META_APP_ID: meta.id, META_APP_SECRET: meta.secret },
  },
  { platforms: ['threads'], bindings: { THREADS_APP_ID: threads.id, THREADS_APP_SECRET: threads.secret } },
  { platforms: ['tiktok'], bindings: { TIKTOK_CLIENT_KEY: tiktok.id, TIKTOK_CLIENT_SECRET: tiktok.secret } },
  {
    platforms: ['linkedin'],
    bindings: { LINKEDIN_CLIENT_ID: linkedin.id, LINKEDIN_CLIENT_SECRET: linkedin.secret },
  },
  {
    platforms: ['reddit'],
    bindings: { REDDIT_CLIENT_ID: reddit.id, REDDIT_CLIENT_SECRET: reddit.secret },
  },
]

/** What the Worker is told of the platforms. */
export interface PlatformBindings {
  bindings: Bindings
  /** Those that it reads from the simulator; the others are the caller's choice. */
  simulated: readonly Platform[]
}

/**
 * Points the Worker to the simulated platforms, but for those that the caller says something of: an address in
 * `PLATFORM_URLS` (or `BLUESKY_APPVIEW_URL`) leads there, and an app of one's own leads to the platform itself,
 * which alone knows it.
 */
export function bindPlatforms(
  variables: Variables,
  ports: Readonly<Record<Platform, number>>,
): PlatformBindings {
  const isGiven = (name: string) => Boolean(variables[name])
  const isOwn = ({ bindings }: AppVariables) => Object.keys(bindings).some(isGiven)
  const chosen = new Set<string>(APPS.filter(isOwn).flatMap(({ platforms }) => platforms))
  // What is malformed here, the Worker's own configuration names.
  const givenUrls = (variables.PLATFORM_URLS ?? '').split(',').filter((entry) => entry.trim() !== '')
  for (const entry of givenUrls) chosen.add(entry.split('=')[0]?.trim() ?? '')
  if (isGiven('BLUESKY_APPVIEW_URL')) chosen.add('bluesky')
  const simulated = PLATFORMS.filter((platform) => !chosen.has(platform))
  const urlOf = (platform: Platform) => `http://127.0.0.1:${ports[platform]}`
  // A handle on Mastodon names its server, and Bluesky has a variable of its own.
  const urls = simulated.filter((platform) => platform !== 'mastodon' && platform !== 'bluesky')
  const apps = APPS.filter((app) => !isOwn(app)).map(({ bindings }) => bindings)
  return {
    bindings: {
      ...Object.assign({}, ...apps),
      ...(simulated.includes('bluesky') && { BLUESKY_APPVIEW_URL: urlOf('bluesky') }),
      PLATFORM_URLS: [...givenUrls, ...urls.map((platform) => `${platform}=${urlOf(platform)}`)].join(','),
    },
    simulated,
  }
}
