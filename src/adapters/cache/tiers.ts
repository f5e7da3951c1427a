import type { CacheAnswer, CacheEntry, CacheRead, Clock, Computed, Logger, ReadCache } from '../../ports.ts'
import { type Breaker, BreakerOpenError } from '../../resilience/breaker.ts'
import type { ColoTier } from './colo.ts'
import { etagOf, markStale } from './entry.ts'
import type { MemoryEntry, MemoryTier } from './memory.ts'
import type { RegionAnswer, RegionTier } from './region.ts'

export interface ReadCacheParts {
  memory: MemoryTier
  colo: ColoTier
  region: RegionTier
  /** Around the region tier alone; the origin has its own. */
  regionBreaker: Breaker
  clock: Clock
  log: Logger
  waitUntil(work: Promise<unknown>): void
}

/** Who recomputes is given this long before somebody else may. */
const LOCK_MS = 5_000
/** Those who wait for somebody else's recomputation look again this often, and give up after that long. */
const WAIT_STEPS_MS = [25, 50, 100, 200, 400, 400, 400]

/**
 * Answers a question by the first tier that can: the isolate's memory, the data centre's cache, Redis, and
 * at last the database, where one caller at a time recomputes. What a tier found on the way is put into the
 * tiers above it. When the database cannot answer, whatever was known is served and says that it is stale;
 * only when nothing was, the failure is the caller's.
 */
export function createReadCache(parts: ReadCacheParts): ReadCache {
  const { memory, colo, region, clock, log } = parts

  function usable(
    entry: MemoryEntry | null | undefined,
    minGeneration: number,
    forMs: number,
  ): entry is MemoryEntry {
    return entry != null && entry.generation >= minGeneration && clock.now() - entry.validatedAtMs < forMs
  }

  /** Puts an answer that has just been vouched for into the tiers above. */
  function keep(name: string, entry: CacheEntry): void {
    const validated = { ...entry, validatedAtMs: clock.now() }
    memory.put(name, validated)
    parts.waitUntil(colo.put(name, validated))
  }

  async function askRegion(request: CacheRead, token: string): Promise<RegionAnswer | null> {
    try {
      return await parts.regionBreaker.run(() =>
        region.get({ ...request, nowMs: clock.now(), token, lockMs: LOCK_MS }),
      )
    } catch (error) {
      if (!(error instanceof BreakerOpenError)) log.warn('redis does not answer', { error })
      return null
    }
  }

  async function recompute(
    request: CacheRead,
    name: string,
    compute: () => Promise<Computed>,
    token: string,
  ): Promise<CacheAnswer> {
    const computedAtMs = clock.now()
    const { generation, value } = await compute()
    const body = JSON.stringify(value)
    const entry: CacheEntry = { body, etag: await etagOf(body), generation, computedAtMs }
    keep(name, entry)
    const freshUntilMs = computedAtMs + request.policy.regionMs
    // Awaited: whoever waits for the lock should find the answer as soon as we have given it.
    await parts.regionBreaker
      .run(() => region.put({ ...request, entry, freshUntilMs, token }))
      .catch((error: unknown) => {
        if (!(error instanceof BreakerOpenError)) log.warn('answer not stored in redis', { error })
      })
    return { entry, tier: 'origin', stale: false }
  }

  async function waitForOther(request: CacheRead, token: string): Promise<RegionAnswer | null> {
    for (const waitMs of WAIT_STEPS_MS) {
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      const answer = await askRegion(request, token)
      if (answer === null || answer.state !== 'wait') return answer
    }
    return null
  }

  return {
    async read(request, compute) {
      const name = `${request.scope}/${request.key}`
      const inMemory = memory.get(name)
      if (usable(inMemory, request.minGeneration, request.policy.memoryMs))
        return { entry: inMemory, tier: 'memory', stale: false }
      const inColo = await colo.get(name)
      if (usable(inColo, request.minGeneration, request.policy.coloMs)) {
        memory.put(name, inColo)
        return { entry: inColo, tier: 'colo', stale: false }
      }

      const token = crypto.randomUUID()
      let answer = await askRegion(request, token)
      if (answer?.state === 'wait') {
        // Somebody recomputes. What is there is good enough for whoever was told of nothing newer.
        if (answer.entry !== null && answer.entry.generation >= answer.minGeneration)
          return { entry: answer.entry, tier: 'region', stale: false }
        answer = await waitForOther(request, token)
      }
      if (answer?.state === 'hit' && answer.entry !== null) {
        keep(name, answer.entry)
        return { entry: answer.entry, tier: 'region', stale: false }
      }
      const lock = answer?.state === 'lock' ? token : null
      try {
        return await recompute(request, name, compute, token)
      } catch (error) {
        if (lock !== null) parts.waitUntil(region.free(request.scope, request.key, lock).catch(() => {}))
        const known = newest([inMemory, inColo, answer?.entry])
        if (known === null) throw error
        log.warn('served stale', { scope: request.scope, error })
        return {
          entry: markStale(known),
          tier: known === answer?.entry ? 'region' : known === inColo ? 'colo' : 'memory',
          stale: true,
        }
      }
    },
    async raise(scope, generation) {
      await parts.regionBreaker.run(() => region.raise(scope, generation))
    },
  }
}

function newest(entries: (CacheEntry | null | undefined)[]): CacheEntry | null {
  return entries.reduce<CacheEntry | null>(
    (best, entry) => (entry != null && (best === null || entry.generation > best.generation) ? entry : best),
    null,
  )
}
