import type { Context } from 'hono'
import { sha256Hex } from '../lib/hash.ts'
import type { CachePolicy, Computed } from '../ports.ts'
import type { HttpEnv } from './context.ts'

/**
 * How long answers of each cached route may be used, tier by tier. What an ingest changes is known to the
 * region tier at once (by the generation), to the tiers above it within these seconds, and to whoever was
 * told of it (`minGeneration`) at once everywhere.
 */
export const CACHE_POLICIES = {
  overview: { memoryMs: 5_000, coloMs: 10_000, regionMs: 300_000 },
  trending: { memoryMs: 5_000, coloMs: 10_000, regionMs: 300_000 },
} satisfies Record<string, CachePolicy>
export type CachedRoute = keyof typeof CACHE_POLICIES

/**
 * Answers a cached route: from the first tier that can, with its ETag, or 304 where the client has it.
 * @param request `question`: what was asked, normalised: the same question must give the same value to
 *   everybody of the same `reach` (brands whose accounts alone the caller sees; `null`: all), and to nobody else
 */
export async function answerCached(
  c: Context<HttpEnv>,
  route: CachedRoute,
  request: {
    scope: string
    reach: readonly string[] | null
    question: unknown
    minGeneration: number
  },
  compute: () => Promise<Computed>,
): Promise<Response> {
  const deps = c.get('deps')
  const asked = JSON.stringify([request.question, request.reach?.toSorted() ?? null])
  const key = `${route}-${(await sha256Hex(asked)).slice(0, 32)}`
  const answer = await deps.cache.read(
    { scope: request.scope, key, minGeneration: request.minGeneration, policy: CACHE_POLICIES[route] },
    compute,
  )
  const { entry, tier, stale } = answer
  const headers = new Headers({
    etag: entry.etag,
    // For this person alone; kept by the browser, and asked about each time.
    'cache-control': 'private, no-cache',
    vary: 'Authorization, Cookie, X-Workspace-Id, Accept-Encoding',
    'cache-status':
      tier === 'origin' ? 'tidemark; fwd=miss; stored' : `tidemark; hit; detail=${stale ? 'stale' : tier}`,
    'server-timing': `cache;desc="${tier}"`,
  })
  if (matches(c.req.header('if-none-match'), entry.etag)) return new Response(null, { status: 304, headers })
  headers.set('content-type', 'application/json')
  return new Response(entry.body, { headers })
}

function matches(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  return given.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*')
}
