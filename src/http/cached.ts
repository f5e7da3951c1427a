import type { Context } from 'hono'
import { sha256Hex } from '../lib/hash.ts'
import {
  type CacheAnswer,
  type CachePolicy,
  type CacheRead,
  type Compute,
  PUBLIC_SCOPE,
  type SendableEntry,
} from '../ports.ts'
import { CACHE_POLICIES, type CachedRoute, cachingHeaders } from './cache-policies.ts'
import type { HttpEnv } from './context.ts'
import { acceptsGzip, gzipEtag, gzipped, MIN_COMPRESSED_BYTES, namesEtag } from './encoding.ts'

export interface CachedQuestion {
  /** A workspace's id, or `public`: whose generation labels the answer. */
  scope: string
  /** Brands whose accounts alone the caller sees; `null`: all. */
  reach: readonly string[] | null
  /**
   * What was asked, normalised: the same question must give the same value to everybody of the same `reach`,
   * and to nobody else.
   */
  question: unknown
  minGeneration: number
}

/** Answers a cached route: from the first tier that can, with its ETag, or 304 where the client has it. */
export async function answerCached(
  c: Context<HttpEnv>,
  route: CachedRoute,
  asked: CachedQuestion,
  compute: Compute,
): Promise<Response> {
  const policy = CACHE_POLICIES[route]
  const request = await toCacheRead(route, asked)
  const answer = await c.get('deps').cache.read(request, compute)
  c.set('cached', request)
  const { entry } = answer
  const headers = new Headers({
    ...cachingHeaders(policy.audience),
    'cache-status': cacheStatusOf(answer),
    'server-timing': `cache;desc="${answer.tier}"`,
    'content-type': 'application/json',
  })
  const body = await compressWhereTaken(entry, c.req.header('accept-encoding'))
  return sendEntry(entry, body, headers, c.req.header('if-none-match'))
}

/** How a question is put to the cache. Its recipe is read by `services/rephrase.ts`. */
async function toCacheRead(route: CachedRoute, asked: CachedQuestion): Promise<CacheRead> {
  const { scope, question, minGeneration } = asked
  const policy: CachePolicy = CACHE_POLICIES[route]
  const recipe = JSON.stringify({ route, reach: asked.reach?.toSorted() ?? null, question })
  const request = { scope, key: `${route}-${(await sha256Hex(recipe)).slice(0, 32)}`, minGeneration, policy }
  // What is public has been worked out ahead: it need not be kept warm.
  return policy.keptWarmMs === undefined || scope === PUBLIC_SCOPE ? request : { ...request, recipe }
}

/** As RFC 9211 has it. */
export function cacheStatusOf({ entry, tier }: CacheAnswer): string {
  return tier === 'origin'
    ? 'tidemark; fwd=miss; stored'
    : `tidemark; hit; detail=${entry.stale ? 'stale' : tier}`
}

/** The compressed form where a client takes it and it is worth it, made at its first use; `null`: as it is. */
async function compressWhereTaken(
  entry: SendableEntry,
  acceptEncoding: string | undefined,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (entry.bytes.length < MIN_COMPRESSED_BYTES || !acceptsGzip(acceptEncoding)) return null
  entry.gzip ??= await gzipped(entry.bytes)
  return entry.gzip
}

/** The entry in one of its forms, or 304 where the client has it in any of them. */
function sendEntry(
  entry: SendableEntry,
  gzip: Uint8Array<ArrayBuffer> | null,
  headers: Headers,
  ifNoneMatch: string | undefined,
): Response {
  headers.set('etag', gzip === null ? entry.etag : gzipEtag(entry.etag))
  if (namesEtag(ifNoneMatch, entry.etag)) {
    headers.delete('content-type')
    return new Response(null, { status: 304, headers })
  }
  if (gzip === null) return new Response(entry.bytes, { headers })
  headers.set('content-encoding', 'gzip')
  // It is compressed already: the runtime is not to do it again.
  return new Response(gzip, { headers, encodeBody: 'manual' })
}
