import { LRUCache } from 'lru-cache'
import { AppError } from '../../errors.ts'
import { atMost } from '../../lib/lru.ts'
import { sleep } from '../../lib/sleep.ts'
import type {
  CacheAnswer,
  CacheEntry,
  CacheRead,
  Clock,
  Compute,
  Logger,
  ReadCache,
  Rephrase,
  SendableEntry,
  Tier,
} from '../../ports.ts'
import { type Breaker, BreakerOpenError } from '../../resilience/breaker.ts'
import type { ColoEntry, ColoTier } from './colo.ts'
import { etagOf, isStale, markStale } from './entry.ts'
import { createFlights } from './flights.ts'
import type { MemoryEntry, MemoryTier } from './memory.ts'
import type { RegionAnswer, RegionTier, WarmQuestion } from './region.ts'
import { createSeenGenerations } from './seen-generations.ts'
import { createUpperTiers, nameOf } from './upper-tiers.ts'
import { createWarmer } from './warmer.ts'

export interface ReadCacheParts {
  memory: MemoryTier
  colo: ColoTier
  region: RegionTier
  /** Around the region tier alone; the origin has its own. */
  regionBreaker: Breaker
  /** Whether the database is known not to answer: what the other tiers serve then is marked stale. */
  isOriginDown(): boolean
  /** Whether Redis is known not to answer: what memory has serves its seconds then, whatever the database tells. */
  isRegionDown(): boolean
  /** Asks the database for a scope's generation, where Redis cannot; `null`: the scope has none. */
  readGeneration(scope: string): Promise<number | null>
  /** How questions are put again that are kept warm. */
  rephrase(): Promise<Rephrase>
  clock: Clock
  log: Logger
  waitUntil(work: Promise<unknown>): void
}

/** Who recomputes is given this long before somebody else may: a little more than a read may take. */
const LOCK_MS = 2_500
/** Those who wait for somebody else's recomputation look again this often, until its lock would have ended. */
const WAIT_STEPS_MS = [10, 20, 40, 80, 150, 200, 250, 250, 250, 250, 250, 250, 250, 250, 250]
/** Those who wait for another request of their isolate look at memory soon, and then less often: they may be many. */
const FLIGHT_STEPS_MS = [3, 5, 8, 12, 20, 30, 40, ...Array.from({ length: 120 }, () => 50)]
/** What serves only until somebody else has made it anew, or the database is back, serves again for this long. */
const STOPGAP_MS = 250
const STALE_MS = 4_000
/** Questions of one scope that are renewed together ask for its generation once. */
const GENERATION_CHECK_MS = 1_000
/** What could not be renewed in the background is not tried again before. */
const RENEW_PAUSE_MS = 500
/** Of changes that follow each other faster, one in as long has what people look at made anew. */
const WARM_PAUSE_MS = 1_000
/** Of questions that are warm, the last asked are kept so. */
const MOST_WARM = 32

/**
 * Answers a question by the first tier that can: the isolate's memory, the data centre's cache, Redis, and
 * at last the database, where one caller at a time recomputes. What a tier found on the way is put into the
 * tiers above it. Memory asks for what is in use again before its time is over, so that nobody waits for
 * that, and what people look at is answered again at each change before anybody is told of it. When the
 * database cannot answer, whatever was known is served and says that it is stale; only when
 * nothing was, the failure is the caller's.
 */
export function createReadCache(parts: ReadCacheParts): ReadCache {
  const { region, clock, log } = parts
  const flights = createFlights(clock)
  const seen = createSeenGenerations()
  const upper = createUpperTiers({ ...parts, seen })
  /** When the database last told a scope's generation. */
  const checks = new LRUCache<string, number>(atMost(1_000))
  /** Answers whose time is over and that could not be made anew when that was last tried. */
  const notRenewed = new LRUCache<string, true>(atMost(1_000))

  /** Redis did something: what it has not heard of yet is told. */
  function tellUntold(): void {
    if (!seen.hasUntold()) return
    for (const [scope, generation] of seen.takeUntold())
      parts.waitUntil(raise(scope, generation).catch(() => {}))
  }

  async function raise(scope: string, generation: number): Promise<void> {
    seen.noteTold(scope, generation)
    let warmed: WarmQuestion[]
    try {
      const now = { nowMs: clock.now(), pauseMs: WARM_PAUSE_MS, atMost: MOST_WARM }
      warmed = await parts.regionBreaker.run(() => region.raise({ scope, generation, ...now }))
    } catch (error) {
      seen.keepUntold(scope, generation)
      throw error
    }
    await warm(scope, generation, warmed)
  }

  async function askRegion(request: CacheRead): Promise<RegionAnswer | null> {
    try {
      const answer = await parts.regionBreaker.run(() =>
        region.get({
          scope: request.scope,
          key: request.key,
          minGeneration: request.minGeneration,
          seenGeneration: seen.of(request.scope),
          nowMs: clock.now(),
          // Who cannot make it anew keeps nobody else from it.
          lockMs: parts.isOriginDown() ? 0 : LOCK_MS,
          freshMs: request.policy.regionMs,
          warm: warmthOf(request),
        }),
      )
      tellUntold()
      return answer
    } catch (error) {
      if (!(error instanceof BreakerOpenError)) log.warn('redis does not answer', { error })
      return null
    }
  }

  /** The newest generation that anybody may have been told of; `null` where Redis does not say. */
  function knownToExist({ scope }: CacheRead, told: RegionAnswer | null): number | null {
    if (told === null || told.generation === null) return null
    return Math.max(told.generation, seen.of(scope))
  }

  async function recompute(
    request: CacheRead,
    compute: Compute,
    told: RegionAnswer | null,
  ): Promise<SendableEntry> {
    const computedAtMs = clock.now()
    const fence = told?.fence ?? 0
    try {
      const { generation, value } = await compute(knownToExist(request, told))
      const body = JSON.stringify(value)
      const entry: CacheEntry = { body, etag: await etagOf(body), generation, computedAtMs }
      const answer = upper.keep(request, entry)
      const freshUntilMs = computedAtMs + request.policy.regionMs
      const costMs = clock.now() - computedAtMs
      // Nobody waits for it but those who wait for the lock, and they look again soon.
      parts.waitUntil(
        parts.regionBreaker
          .run(() => region.put({ ...request, entry, freshUntilMs, fence, costMs }))
          .catch((error: unknown) => {
            if (!(error instanceof BreakerOpenError)) log.warn('answer not stored in redis', { error })
          }),
      )
      return answer
    } catch (error) {
      if (fence > 0) parts.waitUntil(region.free(request.scope, request.key, fence).catch(() => {}))
      throw error
    }
  }

  /** Makes an answer anew after the answer to the request that found it old. */
  function recomputeLater(request: CacheRead, compute: Compute, answer: RegionAnswer): void {
    const name = nameOf(request)
    parts.waitUntil(
      recompute(request, compute, answer).then(
        () => notRenewed.delete(name),
        (error: unknown) => {
          notRenewed.set(name, true)
          log.warn('answer not renewed', { scope: request.scope, error })
        },
      ),
    )
  }

  /** Asks again for what memory still serves. Without Redis, the database: one question at a time. */
  async function renew(request: CacheRead, entry: MemoryEntry, compute: Compute): Promise<void> {
    const inColo = await askColo(request)
    if (upper.coloServes(inColo, request) && inColo.validatedAtMs > entry.validatedAtMs + RENEW_PAUSE_MS) {
      upper.rememberFromColo(request, inColo)
      return
    }
    const answer = await askRegion(request)
    if (fromRegion(request, answer, compute) !== null) return
    if (answer === null && (await fromGeneration(request, [entry.answer])) !== null) return
    if (answer === null || answer.state === 'lock') await recompute(request, compute, answer)
  }

  const warm = createWarmer({
    ...parts,
    async renew(request, compute) {
      const answer = await askRegion(request)
      if (answer?.state === 'lock' || answer?.state === 'renew') await recompute(request, compute, answer)
    },
  })

  function renewLater(request: CacheRead, entry: MemoryEntry, compute: Compute): void {
    entry.renewAtMs = clock.now() + RENEW_PAUSE_MS
    parts.waitUntil(
      renew(request, entry, compute).catch((error: unknown) =>
        log.warn('answer not renewed', { scope: request.scope, error }),
      ),
    )
  }

  async function waitForOther(request: CacheRead): Promise<RegionAnswer | null> {
    for (const waitMs of WAIT_STEPS_MS) {
      await sleep(waitMs)
      const answer = await askRegion(request)
      if (answer === null || answer.state !== 'wait' || parts.isOriginDown()) return answer
    }
    return null
  }

  /** What the region has to say, where that settles it. */
  function fromRegion(request: CacheRead, answer: RegionAnswer | null, compute: Compute): CacheAnswer | null {
    if (answer === null || answer.entry === null) return null
    const { state, entry, isCurrent, fence } = answer
    const fresh = state === 'hit' || state === 'renew'
    if (parts.isOriginDown()) {
      // The database is not asked; that nothing has changed since is more than anybody knows.
      if (fence > 0) parts.waitUntil(region.free(request.scope, request.key, fence).catch(() => {}))
      return { entry: upper.tideOver(request, markStale(entry), STALE_MS), tier: 'region' }
    }
    if (fresh) {
      if (state === 'renew') recomputeLater(request, compute, answer)
      return { entry: upper.keep(request, entry), tier: 'region' }
    }
    if (state === 'lock' && isCurrent && isBarelyOver(request, entry)) {
      recomputeLater(request, compute, answer)
      const known = notRenewed.has(nameOf(request)) ? markStale(entry) : entry
      return { entry: upper.tideOver(request, known, STOPGAP_MS), tier: 'region' }
    }
    if (state === 'wait' && servesMeanwhile(request, answer, entry))
      return { entry: upper.tideOver(request, entry, STOPGAP_MS), tier: 'region' }
    return null
  }

  /**
   * Whether an answer will do while somebody else makes it anew: for whoever was told of nothing newer, where no
   * change was made here either; never an outdated one to a question that is asked to see changes.
   */
  function servesMeanwhile({ scope, policy }: CacheRead, answer: RegionAnswer, entry: CacheEntry): boolean {
    if (entry.generation < Math.max(answer.minGeneration, seen.of(scope))) return false
    return answer.isCurrent || policy.graceMs > 0
  }

  /** What is known here and still has time, where the database says that nothing has changed since. */
  async function fromGeneration(
    request: CacheRead,
    entries: (CacheEntry | null | undefined)[],
  ): Promise<SendableEntry | null> {
    const known = newest(entries.filter((entry) => entry != null && !isStale(entry)))
    if (known === null || request.policy.memoryMs === undefined || parts.isOriginDown()) return null
    const ageMs = clock.now() - known.computedAtMs
    if (ageMs >= request.policy.regionMs || known.generation < upper.neededBy(request)) return null
    const nowMs = clock.now()
    if (nowMs - (checks.get(request.scope) ?? 0) >= GENERATION_CHECK_MS) {
      const generation = await parts.readGeneration(request.scope).catch(() => null)
      if (generation === null) return null
      seen.note(request.scope, generation)
      checks.set(request.scope, nowMs)
    }
    return known.generation >= upper.neededBy(request) ? upper.keep(request, known) : null
  }

  /** Nothing has changed, and its time is over since a moment: it serves while it is made anew. */
  function isBarelyOver({ policy }: CacheRead, entry: CacheEntry): boolean {
    return clock.now() - entry.computedAtMs < policy.regionMs + policy.graceMs
  }

  /** What the data centre has; while the database is away, that is not asked for, as Redis says what is stale. */
  async function askColo(request: CacheRead): Promise<ColoEntry | null> {
    return parts.isOriginDown() ? null : upper.readColo(request)
  }

  async function lookUp(request: CacheRead, compute: Compute): Promise<CacheAnswer> {
    const inColo = await askColo(request)
    if (upper.coloServes(inColo, request))
      return { entry: upper.rememberFromColo(request, inColo), tier: 'colo' }
    let answer = await askRegion(request)
    let settled = fromRegion(request, answer, compute)
    if (settled === null && answer?.state === 'wait' && !parts.isOriginDown()) {
      answer = await waitForOther(request)
      settled = fromRegion(request, answer, compute)
    }
    if (answer === null) {
      // Redis is away: whether anything has changed costs the database less than the answer.
      const vouched = await fromGeneration(request, [upper.inMemory(request)?.answer, inColo])
      if (vouched !== null) return { entry: vouched, tier: 'memory' }
    }
    if (settled !== null) return settled
    try {
      return { entry: await recompute(request, compute, answer), tier: 'origin' }
    } catch (error) {
      if (error instanceof AppError && error.code !== 'unavailable') throw error
      const inMemory = upper.inMemory(request)?.answer
      const inNeed = inColo ?? (await upper.readColo(request))
      const known = newest([inMemory, inNeed, answer?.entry])
      if (known === null) throw error
      log.warn('served stale', { scope: request.scope, error })
      const tier: Tier = known === answer?.entry ? 'region' : known === inNeed ? 'colo' : 'memory'
      return { entry: upper.tideOver(request, markStale(known), STALE_MS), tier }
    }
  }

  async function fly(name: string, request: CacheRead, compute: Compute): Promise<CacheAnswer> {
    try {
      return await lookUp(request, compute)
    } catch (error) {
      flights.fail(name, error)
      throw error
    } finally {
      flights.end(name)
    }
  }

  /** @returns what another request of the isolate found; `null`: it found nothing that serves this one */
  async function waitForFlight(name: string, request: CacheRead): Promise<CacheAnswer | null> {
    const sinceMs = clock.now()
    for (const waitMs of FLIGHT_STEPS_MS) {
      await sleep(waitMs)
      const entry = upper.inMemory(request)
      if (upper.serves(entry, request)) return { entry: entry.answer, tier: 'memory' }
      if (flights.isUnderWay(name)) continue
      const failure = flights.failedSince(name, sinceMs)
      if (failure !== null) throw failure.error
      return null
    }
    throw new AppError('unavailable', 'This takes too long at the moment.', { retryAfterMs: 1_000 })
  }

  return {
    peek(request) {
      const entry = upper.inMemory(request)
      return upper.serves(entry, request) && clock.now() < entry.renewAtMs ? entry.answer : null
    },
    async read(request, compute) {
      const name = nameOf(request)
      for (;;) {
        const entry = upper.inMemory(request)
        if (upper.serves(entry, request)) {
          if (clock.now() >= entry.renewAtMs) renewLater(request, entry, compute)
          return { entry: entry.answer, tier: 'memory' }
        }
        // Without memory there is no place where another request would leave what it found.
        if (request.policy.memoryMs === undefined) return lookUp(request, compute)
        if (flights.begin(name)) {
          const flight = fly(name, request, compute)
          // Others wait for it: it goes on when whoever asked has gone away.
          parts.waitUntil(flight.catch(() => {}))
          return flight
        }
        const found = await waitForFlight(name, request)
        if (found !== null) return found
      }
    },
    raise,
    note: seen.noteTold,
  }
}

/** What Redis notes of a question that is kept warm. */
function warmthOf({ key, policy, recipe }: CacheRead): { question: WarmQuestion; forMs: number } | null {
  const forMs = policy.keptWarmMs
  return recipe === undefined || forMs === undefined ? null : { question: { key, policy, recipe }, forMs }
}

function newest<T extends CacheEntry>(entries: (T | CacheEntry | null | undefined)[]): CacheEntry | null {
  return entries.reduce<CacheEntry | null>(
    (best, entry) => (entry != null && (best === null || entry.generation > best.generation) ? entry : best),
    null,
  )
}
