import { createColoTier } from '../../../src/adapters/cache/colo.ts'
import { createMemoryTier } from '../../../src/adapters/cache/memory.ts'
import { createRegionTier } from '../../../src/adapters/cache/region.ts'
import { createReadCache } from '../../../src/adapters/cache/tiers.ts'
import { createRedis } from '../../../src/adapters/redis.ts'
import { CACHE_POLICIES } from '../../../src/http/cache-policies.ts'
import { newId } from '../../../src/lib/ids.ts'
import type { CacheRead, ReadCache, Tier } from '../../../src/ports.ts'
import { Breaker } from '../../../src/resilience/breaker.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import { forEach } from '../../lib/rounds.ts'
import { ratio } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { type AskEvent, traceDay } from './day-trace.ts'
import type { Findings, ReadsBench } from './section.ts'
import { atLeast } from './verdicts.ts'

const SEED = 'tidemark'
const DATA_CENTRES = 2
const ISOLATES_EACH = 3
/** An isolate that nobody asks for so long is gone, and what it held. */
const IDLE_MS = 300_000
const REDIS_TIMEOUT_MS = 2_000
const BODY_BYTES = 8_000
const LEAST_WITHOUT_ORIGIN = 95

const TIERS = ['memory', 'colo', 'region', 'origin'] as const
const REASONS = ['opened', 'polled', 'told'] as const
const REASON_LABELS: Record<AskEvent['because'], string> = {
  opened: 'opening, asking something else',
  polled: 'asking again by itself',
  told: 'told of a change',
}

interface Isolate {
  cache: ReadCache
  askedMs: number
}

interface Tally {
  answers: Record<AskEvent['because'], Record<Tier, number>>
  /** Answers that the database gave, those that were made ahead of time among them. */
  computed: number
  changes: number
}

/**
 * A day of a team, replayed on the product's own tiers, and the local Redis, by a clock of its own: with the
 * real one it would take a day.
 */
export async function measureReplayedDay({ stack, log }: ReadsBench): Promise<Findings> {
  log('a replayed day')
  const tally = await replay(stack.bindings, { isKeptWarm: true })
  const without = await replay(stack.bindings, { isKeptWarm: false })
  const rows = REASONS.map((reason) => rowOf(REASON_LABELS[reason], [tally.answers[reason]]))
  const all = REASONS.map((reason) => tally.answers[reason])
  const asked = total(all)
  const byOrigin = total(all, 'origin')
  return {
    tables: [
      {
        title: 'Reads: a day of a team of 50, replayed',
        columns: [
          { name: 'asked because' },
          { name: 'asked', digits: 0 },
          ...TIERS.map((name) => ({ name, unit: '%', digits: 1 })),
        ],
        rows: [
          ...rows,
          rowOf('all', all),
          rowOf(
            'baseline: all, with nothing made before it is asked for',
            REASONS.map((reason) => without.answers[reason]),
          ),
        ],
      },
      {
        title: 'Reads: what the day asked of the database',
        columns: [{ name: 'overviews and trends' }, { name: 'times', digits: 0 }],
        rows: [
          ['asked', asked],
          ['changes that the sync stored', tally.changes],
          ['made by the database, ahead of time included', tally.computed],
          ['baseline: made by the database', without.computed],
        ],
      },
    ],
    notes: [
      `The day: visits in the morning, after lunch and in between; pages that are told of each change ask again at once, and must not be shown what was before it; ${DATA_CENTRES} data centres with ${ISOLATES_EACH} isolates each, gone when idle for ${IDLE_MS / 60_000} minutes (bench/benchmarks/reads/day-trace.ts).`,
    ],
    verdicts: [
      atLeast(
        'a replayed day’s reads answered without the database',
        LEAST_WITHOUT_ORIGIN,
        asked === 0 ? null : 100 * (1 - byOrigin / asked),
        '%',
      ),
    ],
  }
}

async function replay(
  bindings: Readonly<Record<string, string>>,
  { isKeptWarm }: { isKeptWarm: boolean },
): Promise<Tally> {
  const { UPSTASH_REDIS_REST_URL: url = '', UPSTASH_REDIS_REST_TOKEN: token = '' } = bindings
  const redis = createRedis({ url, token, timeoutMs: REDIS_TIMEOUT_MS })
  const midnightMs = Math.floor(Date.now() / 86_400_000) * 86_400_000
  let nowMs = midnightMs
  const clock = { now: () => nowMs }
  const underWay = new Set<Promise<unknown>>()
  const waitUntil = (work: Promise<unknown>) => {
    const watched: Promise<unknown> = work.catch(() => {}).finally(() => underWay.delete(watched))
    underWay.add(watched)
  }
  const settle = async () => {
    while (underWay.size > 0) await Promise.all(underWay)
  }
  let generation = 1
  const tally: Tally = {
    answers: forEach(REASONS, () => forEach(TIERS, () => 0)),
    ...{ computed: 0, changes: 0 },
  }
  const text = 'x'.repeat(BODY_BYTES)
  const compute = async () => {
    tally.computed += 1
    return { generation, value: { generation, text, stale: false } }
  }
  const scope = newId()
  const asking = (key: string): CacheRead => ({
    ...{ scope, key, minGeneration: 0, recipe: key },
    policy: key.startsWith('trending') ? CACHE_POLICIES.trending : CACHE_POLICIES.overview,
  })
  const caches = Array.from({ length: DATA_CENTRES }, () => createSimulatedCache(clock.now))
  const createIsolate = (centre: number): Isolate => ({
    askedMs: nowMs,
    cache: createReadCache({
      memory: createMemoryTier(),
      colo: createColoTier(() => caches[centre] ?? createSimulatedCache(clock.now)),
      region: createRegionTier(redis),
      regionBreaker: new Breaker('redis', clock),
      isOriginDown: () => false,
      isRegionDown: () => false,
      readGeneration: async () => null,
      rephrase: async () => () => (isKeptWarm ? compute : null),
      log: silentLogger,
      ...{ clock, waitUntil },
    }),
  })
  const isolates = new Map<number, Isolate>()
  const isolateFor = (person: number, turn: number): Isolate => {
    const centre = person % DATA_CENTRES
    const number = centre * ISOLATES_EACH + (turn % ISOLATES_EACH)
    const known = isolates.get(number)
    const isolate = known !== undefined && nowMs - known.askedMs < IDLE_MS ? known : createIsolate(centre)
    isolates.set(number, isolate)
    isolate.askedMs = nowMs
    return isolate
  }

  for (const [turn, event] of traceDay(SEED).entries()) {
    nowMs = midnightMs + Math.round(event.atMs)
    if (event.type === 'change') {
      generation += 1
      tally.changes += 1
      await isolateFor(turn, turn).cache.raise(scope, generation)
      await settle()
      continue
    }
    const { person, question, because } = event
    const key = question.replaceAll(' ', '-')
    const { tier } = await isolateFor(person, turn).cache.read(
      { ...asking(key), minGeneration: because === 'told' ? generation : 0 },
      compute,
    )
    await settle()
    tally.answers[because][tier] += 1
  }
  assertMeasured(tally.computed > 0, 'nobody has asked the database')
  return tally
}

/** What the platform's cache does: it forgets what is older than its `max-age`. */
function createSimulatedCache(now: () => number): Cache {
  const kept = new Map<string, { response: Response; untilMs: number }>()
  return withoutTheRest({
    async match(url) {
      const found = kept.get(String(url))
      return found !== undefined && now() < found.untilMs ? found.response.clone() : undefined
    },
    async put(url, response) {
      const seconds = Number(/max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '')?.[1] ?? 0)
      kept.set(String(url), { response, untilMs: now() + seconds * 1_000 })
    },
  })
}

/** The tier asks for nothing else. */
function withoutTheRest(some: Pick<Cache, 'match' | 'put'>): Cache {
  return some as Cache
}

function total(answers: readonly Record<Tier, number>[], only?: Tier): number {
  return answers.reduce(
    (sum, one) =>
      sum + TIERS.reduce((all, tier) => all + (only === undefined || only === tier ? one[tier] : 0), 0),
    0,
  )
}

function rowOf(label: string, answers: readonly Record<Tier, number>[]): Cell[] {
  const asked = total(answers)
  const shares = TIERS.map((tier) => {
    const share = ratio(total(answers, tier), asked)
    return share === null ? null : 100 * share
  })
  return [label, asked, ...shares]
}
