import type { CachePolicy } from '../ports.ts'

export interface RoutePolicy extends CachePolicy {
  /** Who may keep the answer: browsers and the CDN for anybody, or nobody but the browser of who asked. */
  audience: 'public' | 'private'
}

/** What a team's pages show first. */
const LOOKED_AT = {
  memoryMs: 8_000,
  coloMs: 10_000,
  regionMs: 300_000,
  graceMs: 300_000,
  // Long enough for most of it to be there for whoever looks next.
  keptWarmMs: 15 * 60_000,
  audience: 'private',
} satisfies RoutePolicy

/**
 * Every cached route: which tiers answer it, and for how long each may use an answer. All of them are
 * invalidated by the generation of their scope (a workspace's, or the public one's), which whatever changes
 * visible data raises: Redis knows of it at once, the tiers above within their seconds, and whoever was told
 * of it (`minGeneration`) reads past them. What is not listed is not cached.
 *
 * Records of keys and people have versions of their own, see `adapters/caller-records.ts`.
 */
export const CACHE_POLICIES = {
  overview: LOOKED_AT,
  trending: LOOKED_AT,
  hashtagCourse: { memoryMs: 8_000, coloMs: 10_000, regionMs: 60_000, graceMs: 60_000, audience: 'private' },
  publicTrending: {
    memoryMs: 10_000,
    coloMs: 15_000,
    regionMs: 300_000,
    graceMs: 300_000,
    audience: 'public',
  },
  publicHashtagCourse: {
    memoryMs: 10_000,
    coloMs: 15_000,
    regionMs: 60_000,
    graceMs: 60_000,
    audience: 'public',
  },
  /** The first page alone: the others are asked for once. When a post was read last raises no generation. */
  posts: { memoryMs: 8_000, coloMs: 10_000, regionMs: 60_000, graceMs: 60_000, audience: 'private' },
  /**
   * The first page, too. Whoever changes an account looks at the list next, so Redis is asked each time, and
   * everybody waits for the change; when accounts were read last raises no generation, and is what people look at
   * here.
   */
  accounts: { regionMs: 5_000, graceMs: 0, audience: 'private' },
} satisfies Record<string, RoutePolicy>

export type CachedRoute = keyof typeof CACHE_POLICIES

/** What an answer says to the caches on its way. */
export function cachingHeaders(audience: RoutePolicy['audience']): { 'cache-control': string; vary: string } {
  return audience === 'public'
    ? {
        'cache-control': 'public, max-age=30, s-maxage=60, stale-while-revalidate=300',
        vary: 'Accept-Encoding',
      }
    : {
        // For this person alone; kept by the browser, and asked about each time.
        'cache-control': 'private, no-cache',
        vary: 'Authorization, Cookie, X-Workspace-Id, Accept-Encoding',
      }
}
