import { beforeEach, describe, expect, inject, it } from 'vitest'
import { silentLogger } from '../../../test/harness/deps.ts'
import type { CachePolicy, Computed } from '../../ports.ts'
import { Breaker } from '../../resilience/breaker.ts'
import { createRedis } from '../redis.ts'
import type { ColoTier } from './colo.ts'
import { createMemoryTier, type MemoryEntry } from './memory.ts'
import { createRegionTier } from './region.ts'
import { createReadCache } from './tiers.ts'

/** A data centre's cache: shared by the isolates of a test, with nothing of its own to prove. */
function sharedColo(): ColoTier {
  const entries = new Map<string, MemoryEntry>()
  return {
    get: async (key) => entries.get(key) ?? null,
    put: async (key, entry) => void entries.set(key, entry),
  }
}

const POLICY: CachePolicy = { memoryMs: 5_000, coloMs: 10_000, regionMs: 300_000 }
let scope = ''
beforeEach(() => {
  scope = crypto.randomUUID()
})

class Clock {
  atMs = 1_800_000_000_000
  now = () => this.atMs
}

/** An isolate of its own, over the same Redis and, if given, the same data centre. */
function isolate(options: { clock: Clock; colo?: ColoTier; redisUrl?: string }) {
  const redis = createRedis({
    url: options.redisUrl ?? inject('redisUrl'),
    token: inject('redisToken'),
    timeoutMs: 500,
  })
  const cache = createReadCache({
    memory: createMemoryTier(),
    colo: options.colo ?? sharedColo(),
    region: createRegionTier(redis),
    regionBreaker: new Breaker('redis', options.clock),
    clock: options.clock,
    log: silentLogger,
    waitUntil: (work) => void work,
  })
  let computed = 0
  return {
    cache,
    computed: () => computed,
    read: (compute: () => Promise<Computed>, minGeneration = 0) =>
      cache.read({ scope, key: 'question', minGeneration, policy: POLICY }, async () => {
        computed += 1
        return compute()
      }),
  }
}

const state =
  (generation: number, text = `state ${generation}`) =>
  async (): Promise<Computed> => {
    const value = { text, stale: false }
    return { generation, value }
  }

describe('the tiers of a cached read', () => {
  it('answers from memory, then from the data centre, then from Redis, and computes once', async () => {
    const clock = new Clock()
    const colo = sharedColo()
    const first = isolate({ clock, colo })
    expect((await first.read(state(1))).tier).toBe('origin')
    expect((await first.read(state(1))).tier).toBe('memory')
    const neighbour = isolate({ clock, colo })
    expect((await neighbour.read(state(1))).tier).toBe('colo')
    const abroad = isolate({ clock })
    const answer = await abroad.read(state(1))
    expect(answer.tier).toBe('region')
    expect(JSON.parse(answer.entry.body)).toEqual({ text: 'state 1', stale: false })
    expect(abroad.computed() + neighbour.computed()).toBe(0)
  })

  it('serves nobody an older state than the one they were told of', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    await reader.cache.raise(scope, 2)
    // Not told: memory may still answer. Told: it may not.
    expect((await reader.read(state(2))).tier).toBe('memory')
    const told = await reader.read(state(2), 2)
    expect(told.tier).toBe('origin')
    expect(told.entry.generation).toBe(2)
  })

  it('knows a raised generation in Redis at once, and the tiers above within their seconds', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    await reader.cache.raise(scope, 2)
    clock.atMs += 10_001
    const answer = await reader.read(state(2))
    expect(answer.entry.generation).toBe(2)
  })

  it('lets a reader that computed an older state publish it over a newer one in no tier', async () => {
    const clock = new Clock()
    const colo = sharedColo()
    const slow = isolate({ clock, colo })
    const quick = isolate({ clock })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const late = slow.read(async () => {
      await held
      return state(1)()
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    clock.atMs += 6_000
    await quick.cache.raise(scope, 2)
    // The lock is the slow one's; told of 2, the quick one waits for it, and then computes for itself.
    const answer = await quick.read(state(2), 2)
    expect(answer.entry.generation).toBe(2)
    release()
    await late
    const third = isolate({ clock })
    expect((await third.read(state(3))).entry.generation).toBe(2)
    expect((await slow.read(state(2), 2)).entry.generation).toBe(2)
  })

  it('computes once when many isolates miss at the same time', async () => {
    const clock = new Clock()
    const isolates = Array.from({ length: 20 }, () => isolate({ clock }))
    const answers = await Promise.all(
      isolates.map((one) =>
        one.read(async () => {
          await new Promise((resolve) => setTimeout(resolve, 60))
          return state(7)()
        }),
      ),
    )
    expect(isolates.reduce((sum, one) => sum + one.computed(), 0)).toBe(1)
    expect(answers.every((answer) => answer.entry.generation === 7)).toBe(true)
  })

  it('takes a made-up generation for the current one', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    const answer = await reader.read(state(1), 1_000_000)
    expect(answer.entry.generation).toBe(1)
    expect(answer.tier).toBe('region')
    expect(reader.computed()).toBe(1)
  })

  it('serves what it knows, marked stale, when the origin fails, and fails where nothing is known', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    clock.atMs += 400_000
    const broken = async (): Promise<Computed> => {
      throw new Error('database gone')
    }
    const answer = await reader.read(broken)
    expect(answer.stale).toBe(true)
    expect(JSON.parse(answer.entry.body)).toEqual({ text: 'state 1', stale: true })
    const fresh = isolate({ clock })
    scope = crypto.randomUUID()
    await expect(fresh.read(broken)).rejects.toThrow('database gone')
    // The lock of the failed one does not keep the next from trying.
    expect((await fresh.read(state(2))).entry.generation).toBe(2)
  })

  it('goes on without Redis', async () => {
    const clock = new Clock()
    const reader = isolate({ clock, redisUrl: 'http://127.0.0.1:9' })
    expect((await reader.read(state(1))).tier).toBe('origin')
    expect((await reader.read(state(1))).tier).toBe('memory')
    clock.atMs += 20_000
    expect((await reader.read(state(2))).entry.generation).toBe(2)
  })
})
