import { LRUCache } from 'lru-cache'
import { isOutage } from '../../db/client.ts'
import { atMost } from '../../lib/lru.ts'
import { sleep } from '../../lib/sleep.ts'
import type { CallerRecords, Clock, Fence, FoundRecord, Logger } from '../../ports.ts'
import type { Fences } from './fences.ts'

/** An answer is believed for so long from the moment it was asked for. */
const BELIEVED_MS = 5_000
/** From then on the next request has it renewed, and waits for nothing. */
const RENEWED_AFTER_MS = 3_000
/** What is in memory serves for so long where neither Postgres nor Redis answers. */
const HELD_MS = 15 * 60_000
const LOOKUP_TIMEOUT_MS = 2_000
/** A renewal ends before its answer is needed. */
const RENEWAL_TIMEOUT_MS = 1_500
/** Others of this isolate who look for the same are waited for in these steps; then everybody looks for themselves. */
const WAIT_STEPS_MS = [2, 4, 8, 16, 32, 64, 124]
/** A lookup whose request was given up never says that it has ended. */
const LOOKING_AT_MOST_MS = 2_500

/** What a kind of caller is. */
interface CallerKind<Q, T> {
  name(question: Q): string
  fences(question: Q): readonly Fence[]
  /** Asks the database; rejects with `unavailable` where that does not answer. */
  ask(question: Q, timeoutMs: number): Promise<T | null>
  /** Whether an answer is worth remembering. */
  lasts(answer: T): boolean
  /** Reads what was shared; `null` where it makes no sense. */
  read(shared: unknown): T | null
}

interface Known<T> {
  answer: T | null
  fences: readonly Fence[]
  /** When it was asked for, not when it came. */
  askedAtMs: number
  renewAtMs: number
  believedUntilMs: number
}

/**
 * Finds callers: in memory, in what isolates share, in the database. Nothing is believed for longer than five
 * seconds after it was asked for at a source that knows of revocations. While the database is away, what
 * isolates share serves for a day, as far as nobody was told of a change, and where that is away as well,
 * memory for a quarter of an hour: who was never seen before is then refused with `unavailable`, as nobody
 * can tell whether they are wrong. An answer is the same object for as long as it says the same.
 *
 * What is shared is told of a change right after the database has it. Where that fails, and is not made up
 * for in the background, a change is known everywhere within 15 seconds (10 of sharing, 5 of memory), or, if
 * the database goes away in them, when it is back.
 */
export function createKnownCallers<Q, T extends object>(
  kind: CallerKind<Q, T>,
  parts: {
    records: CallerRecords | null
    fences: Fences
    clock: Clock
    log: Logger
    waitUntil(work: Promise<unknown>): void
  },
): { find(question: Q): Promise<T | null> } {
  const { records, clock, log, waitUntil } = parts
  const memory = new LRUCache<string, Known<T>>(atMost(10_000))
  /** Since when somebody of this isolate looks for what is not in memory. */
  const looking = new LRUCache<string, number>(atMost(10_000))

  function believed(name: string, now: number): Known<T> | null {
    const known = memory.get(name)
    if (known === undefined || now >= known.believedUntilMs) return null
    return parts.fences.stand(known.fences, known.askedAtMs) ? known : null
  }

  function keep(question: Q, found: T | null, askedAtMs: number): T | null {
    const [name, fences] = [kind.name(question), kind.fences(question)]
    if (parts.fences.haveEnded(fences)) return null
    const before = memory.get(name)
    // What is as it was stays the same object, so that what others derived from it stands.
    const answer = JSON.stringify(before?.answer) === JSON.stringify(found) ? (before?.answer ?? null) : found
    const isNewest = askedAtMs >= (before?.askedAtMs ?? Number.NEGATIVE_INFINITY)
    if (isNewest && parts.fences.stand(fences, askedAtMs) && (answer === null || kind.lasts(answer)))
      memory.set(name, {
        answer,
        fences,
        askedAtMs,
        // Who is nobody can wait.
        renewAtMs: answer === null ? Number.POSITIVE_INFINITY : askedAtMs + RENEWED_AFTER_MS,
        believedUntilMs: askedAtMs + BELIEVED_MS,
      })
    return answer
  }

  /** What memory has for the time in which nobody can be asked. */
  function held(name: string): T | null {
    const known = memory.get(name)
    const now = clock.now()
    if (known === undefined || known.answer === null || now - known.askedAtMs >= HELD_MS) return null
    if (!parts.fences.stand(known.fences, known.askedAtMs)) return null
    known.renewAtMs = now + RENEWED_AFTER_MS
    known.believedUntilMs = now + BELIEVED_MS
    return known.answer
  }

  function read(found: FoundRecord | null): T | null {
    if (found?.state !== 'fresh' && found?.state !== 'old') return null
    return kind.read(parsed(found.body))
  }

  async function lookUp(question: Q, timeoutMs: number): Promise<T | null> {
    const fences = kind.fences(question)
    const askedAtMs = clock.now()
    const isShared = records !== null && parts.fences.areShared(fences)
    const found = isShared ? await records.find(fences) : null
    if (found?.state === 'ended') return keep(question, null, askedAtMs)
    const shared = read(found)
    if (found?.state === 'fresh' && shared !== null) return keep(question, shared, askedAtMs)
    const askedDatabaseAtMs = clock.now()
    let answer: T | null
    try {
      answer = await kind.ask(question, timeoutMs)
    } catch (error) {
      if (!isOutage(error)) throw error
      if (shared !== null) return keep(question, shared, askedAtMs)
      // Where the others were asked and know nothing, what memory has may be what has changed.
      const last = found === null ? held(kind.name(question)) : null
      if (last === null) throw error
      return last
    }
    if (records !== null && found !== null && answer !== null && kind.lasts(answer)) {
      const record = { label: found.label, body: JSON.stringify(answer), askedAtMs: askedDatabaseAtMs }
      waitUntil(records.store(fences, record))
    }
    return keep(question, answer, askedDatabaseAtMs)
  }

  function renew(question: Q, known: Known<T>): void {
    known.renewAtMs = Number.POSITIVE_INFINITY
    waitUntil(
      lookUp(question, RENEWAL_TIMEOUT_MS).catch((error: unknown) =>
        log.warn('caller not renewed', { error }),
      ),
    )
  }

  const isLookedFor = (name: string) =>
    clock.now() - (looking.get(name) ?? Number.NEGATIVE_INFINITY) < LOOKING_AT_MOST_MS

  /** Promises are not shared between requests, which the runtime forbids: the others look whether it is there. */
  async function foundByOther(name: string): Promise<Known<T> | null> {
    for (const waitMs of WAIT_STEPS_MS) {
      if (!isLookedFor(name)) break
      await sleep(waitMs)
      const known = believed(name, clock.now())
      if (known !== null) return known
    }
    return null
  }

  return {
    async find(question) {
      const name = kind.name(question)
      const now = clock.now()
      const known = believed(name, now)
      if (known !== null) {
        if (now >= known.renewAtMs) renew(question, known)
        return known.answer
      }
      if (parts.fences.haveEnded(kind.fences(question))) return null
      const others = await foundByOther(name)
      if (others !== null) return others.answer
      looking.set(name, clock.now())
      try {
        return await lookUp(question, LOOKUP_TIMEOUT_MS)
      } finally {
        looking.delete(name)
      }
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
