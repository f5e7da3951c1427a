import { beforeEach, inject } from 'vitest'
import type { ColoEntry, ColoTier } from '../../src/adapters/cache/colo.ts'
import { createMemoryTier } from '../../src/adapters/cache/memory.ts'
import { createRegionTier } from '../../src/adapters/cache/region.ts'
import { createReadCache } from '../../src/adapters/cache/tiers.ts'
import { createRedis } from '../../src/adapters/redis.ts'
import { AppError } from '../../src/errors.ts'
import type { CachePolicy, Computed } from '../../src/ports.ts'
import { Breaker } from '../../src/resilience/breaker.ts'
import { silentLogger } from './deps.ts'

/** A data centre's cache: shared by the isolates of a test, with nothing of its own to prove. */
export function sharedColo(): ColoTier {
  const entries = new Map<string, ColoEntry>()
  return {
    get: async (key) => entries.get(key) ?? null,
    put: async (key, entry) => void entries.set(key, entry),
  }
}

export const POLICY: CachePolicy = { memoryMs: 5_000, coloMs: 10_000, regionMs: 300_000, graceMs: 300_000 }
const WARM: CachePolicy = { ...POLICY, keptWarmMs: 60_000 }

/** Where nobody listens. */
export const NO_REDIS = 'http://127.0.0.1:9'

/** A clock that stands still until it is moved. */
export class Clock {
  atMs = 1_800_000_000_000
  now = () => this.atMs
}

export const redisAt = (url: string) => createRedis({ url, token: inject('redisToken'), timeoutMs: 500 })

/** How an answer of a generation is computed. */
export const state =
  (generation: number, text = `state ${generation}`) =>
  async (): Promise<Computed> => {
    const value = { text, stale: false }
    return { generation, value }
  }

/** How it is while the database is away. */
export const broken = async (): Promise<Computed> => {
  throw new AppError('unavailable', 'database gone')
}

interface IsolateOptions {
  clock: Clock
  colo?: ColoTier
  redisUrl?: string
  /** How questions that are kept warm are answered. */
  recipes?: Record<string, () => Promise<Computed>>
}

/** Isolates with the tiers of a cached read, which ask about one scope: another one in each test. */
export function isolatesOfAScope() {
  let scope = ''
  const newScope = () => {
    scope = crypto.randomUUID()
  }
  beforeEach(newScope)

  /** An isolate of its own, over the same Redis and, if given, the same data centre. */
  function isolate(options: IsolateOptions) {
    const redis = redisAt(options.redisUrl ?? inject('redisUrl'))
    const origin = { isDown: false, generation: null as number | null, asked: 0 }
    const regionBreaker = new Breaker('redis', options.clock)
    let background: Promise<unknown>[] = []
    const cache = createReadCache({
      memory: createMemoryTier(),
      colo: options.colo ?? sharedColo(),
      region: createRegionTier(redis),
      regionBreaker,
      clock: options.clock,
      isOriginDown: () => origin.isDown,
      isRegionDown: () => regionBreaker.state === 'open',
      async readGeneration() {
        origin.asked += 1
        return origin.generation
      },
      rephrase: async () => (_scope, recipe) => options.recipes?.[recipe] ?? null,
      log: silentLogger,
      waitUntil: (work) => void background.push(work),
    })
    let computed = 0
    return {
      cache,
      origin,
      regionBreaker,
      computed: () => computed,
      /** What goes on after answers has ended. */
      async settled() {
        while (background.length > 0) {
          const work = background
          background = []
          await Promise.allSettled(work)
        }
      },
      /** Asks a question that is kept warm, which is its own recipe. */
      readWarm: (key: string, compute: () => Promise<Computed>, minGeneration = 0) =>
        cache.read({ scope, key, minGeneration, policy: WARM, recipe: key }, compute),
      read: (compute: () => Promise<Computed>, minGeneration = 0) =>
        cache.read({ scope, key: 'question', minGeneration, policy: POLICY }, async () => {
          computed += 1
          return compute()
        }),
    }
  }

  return { isolate, newScope, scope: () => scope }
}
