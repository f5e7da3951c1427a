import type { CacheEntry, CacheRead, Clock, SendableEntry } from '../../ports.ts'
import type { ColoEntry, ColoTier } from './colo.ts'
import { sendable } from './entry.ts'
import type { MemoryEntry, MemoryTier } from './memory.ts'
import type { SeenGenerations } from './seen-generations.ts'

/** Clocks of one data centre differ by less; beyond it, a moment in the future says nothing. */
const CLOCK_SKEW_MS = 2_000

/** Renewals are spread over this part of the time that answers serve in memory, around its middle. */
const RENEWAL_SPREAD = 0.4

export const nameOf = (request: CacheRead) => `${request.scope}/${request.key}`

/** The isolate's memory and the data centre's cache: which of their answers serve, and for how long they are kept. */
export function createUpperTiers(parts: {
  memory: MemoryTier
  colo: ColoTier
  seen: SeenGenerations
  isOriginDown(): boolean
  isRegionDown(): boolean
  clock: Clock
  waitUntil(work: Promise<unknown>): void
}) {
  const { memory, colo, seen, clock } = parts
  const inMemory = (request: CacheRead) => memory.get(nameOf(request))

  /** What is made up is sorted out by Redis, which knows; what was seen here is true. */
  const neededBy = (request: CacheRead) => Math.max(request.minGeneration, seen.of(request.scope))

  /**
   * Whether an outdated answer serves its seconds out. What Redis has of a change is there for all questions before
   * anybody hears of it. Without Redis the database tells of one while a question is renewed: for the others it would be
   * everybody's turn to wait at once, who know nothing of it. They are renewed within their seconds.
   */
  const servesOut = ({ generation }: CacheEntry, request: CacheRead) =>
    parts.isRegionDown() && generation >= Math.max(request.minGeneration, seen.toldOf(request.scope))

  function serves(entry: MemoryEntry | undefined, request: CacheRead): entry is MemoryEntry {
    if (entry === undefined || clock.now() >= entry.usableUntilMs) return false
    const { answer } = entry
    // Nothing newer than a stale one could be had a moment ago.
    return answer.stale || answer.generation >= neededBy(request) || servesOut(answer, request)
  }

  /** Keeps an answer in memory, for as long after it was vouched for as its tier allows. */
  function remember(
    request: CacheRead,
    entry: CacheEntry,
    times: { validatedAtMs: number; usableMs: number },
  ): SendableEntry {
    const known = inMemory(request)?.answer
    // The same answer, vouched for again, keeps the forms that were made of it.
    const answer = known?.etag === entry.etag ? known : sendable(entry)
    if (!answer.stale) seen.note(request.scope, entry.generation)
    const { memoryMs } = request.policy
    const { validatedAtMs, usableMs } = times
    const usableUntilMs = validatedAtMs + usableMs
    // What was vouched for together is not all asked for again at the same moment.
    const renewAtMs = validatedAtMs + usableMs * (0.5 + RENEWAL_SPREAD * (Math.random() - 0.5))
    if (memoryMs !== undefined)
      memory.put(nameOf(request), { answer, validatedAtMs, usableUntilMs, renewAtMs })
    return answer
  }

  /** Keeps an answer that has just been vouched for in the tiers above. */
  function keep(request: CacheRead, entry: CacheEntry): SendableEntry {
    const validatedAtMs = clock.now()
    const { memoryMs = 0, coloMs } = request.policy
    if (coloMs !== undefined && entry.generation >= seen.of(request.scope))
      parts.waitUntil(colo.put(nameOf(request), { ...entry, validatedAtMs }))
    return remember(request, entry, { validatedAtMs, usableMs: memoryMs })
  }

  /** Serves an answer that nobody has vouched for now, and the next ones for a moment. */
  function tideOver(request: CacheRead, entry: CacheEntry, forMs: number): SendableEntry {
    return remember(request, entry, { validatedAtMs: clock.now(), usableMs: forMs })
  }

  async function readColo(request: CacheRead): Promise<ColoEntry | null> {
    const { coloMs } = request.policy
    const entry = coloMs === undefined ? null : await colo.get(nameOf(request))
    if (entry !== null) seen.note(request.scope, entry.generation)
    return entry
  }

  function coloServes(entry: ColoEntry | null, request: CacheRead): entry is ColoEntry {
    // While the database is down Redis says what is stale.
    if (entry === null || entry.generation < neededBy(request) || parts.isOriginDown()) return false
    const ageMs = clock.now() - entry.validatedAtMs
    return ageMs < (request.policy.coloMs ?? 0) && ageMs > -CLOCK_SKEW_MS
  }

  function rememberFromColo(request: CacheRead, entry: ColoEntry): SendableEntry {
    return remember(request, entry, {
      validatedAtMs: entry.validatedAtMs,
      usableMs: request.policy.coloMs ?? 0,
    })
  }

  return { inMemory, neededBy, serves, keep, tideOver, readColo, coloServes, rememberFromColo }
}
