import { describe, expect, inject, it, vi } from 'vitest'
import {
  Clock,
  isolatesOfAScope,
  NO_REDIS,
  POLICY,
  redisAt,
  sharedColo,
  state,
} from '../../../test/harness/isolates.ts'
import { sleep } from '../../lib/sleep.ts'
import type { CachePolicy } from '../../ports.ts'
import { createRegionTier } from './region.ts'

const { isolate, newScope, scope } = isolatesOfAScope()

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
    const [reader, writer] = [isolate({ clock }), isolate({ clock })]
    await reader.read(state(1))
    await writer.cache.raise(scope(), 2)
    // Not told: memory may still answer. Told: it may not.
    expect((await reader.read(state(2))).tier).toBe('memory')
    const told = await reader.read(state(2), 2)
    expect(told.tier).toBe('origin')
    expect(told.entry.generation).toBe(2)
  })

  describe('what is kept warm', () => {
    const never = () => Promise.reject(new Error('asked of the database'))

    it('is made anew by a raise, unless the last one was a moment ago', async () => {
      const clock = new Clock()
      await isolate({ clock }).readWarm('a', state(1))
      await isolate({ clock }).readWarm('b', state(1))
      const recipes = { a: state(2), b: state(2) }
      await isolate({ clock, recipes }).cache.raise(scope(), 2)
      const told = isolate({ clock })
      for (const key of ['a', 'b']) expect((await told.readWarm(key, never, 2)).entry.generation).toBe(2)

      clock.atMs += 500
      await isolate({ clock, recipes: { a: never, b: never } }).cache.raise(scope(), 3)
      expect((await told.readWarm('a', state(3), 3)).tier).toBe('origin')
      clock.atMs += 500
      await isolate({ clock, recipes: { a: state(4), b: state(4) } }).cache.raise(scope(), 4)
      expect((await told.readWarm('a', never, 4)).entry.generation).toBe(4)
    })

    it('holds nobody up: what takes long goes on after the raise, and what fails is made when asked', async () => {
      const clock = new Clock()
      for (const key of ['slow', 'failing', 'unknown']) await isolate({ clock }).readWarm(key, state(1))
      const made = Promise.withResolvers<void>()
      const slow = async () => {
        await made.promise
        return state(2)()
      }
      const writer = isolate({ clock, recipes: { slow, failing: never } })
      await writer.cache.raise(scope(), 2)
      const told = isolate({ clock })
      expect((await told.readWarm('failing', state(2), 2)).tier).toBe('origin')
      expect((await told.readWarm('unknown', state(2), 2)).tier).toBe('origin')
      // Who asks meanwhile waits for it, and asks nobody.
      const asked = told.readWarm('slow', never, 2)
      made.resolve()
      expect((await asked).entry.generation).toBe(2)
      await writer.settled()
    })

    it('is no longer when nobody has asked for long, and never by being made', async () => {
      const clock = new Clock()
      await isolate({ clock }).readWarm('a', state(1))
      clock.atMs += 50_000
      await isolate({ clock, recipes: { a: state(2) } }).cache.raise(scope(), 2)
      clock.atMs += 20_000
      await isolate({ clock, recipes: { a: never } }).cache.raise(scope(), 3)
      expect((await isolate({ clock }).readWarm('a', state(3), 3)).tier).toBe('origin')
    })
  })

  it('serves nothing older where the change was made, told or not', async () => {
    const clock = new Clock()
    const [reader, slow] = [isolate({ clock }), isolate({ clock })]
    await reader.read(state(1))
    await slow.read(state(1))
    await reader.cache.raise(scope(), 2)
    expect((await reader.read(state(2))).entry.generation).toBe(2)
    // Neither does a Redis that has not heard of it: whoever has seen it says so.
    newScope()
    const unheard = isolate({ clock, redisUrl: NO_REDIS })
    await expect(unheard.cache.raise(scope(), 2)).rejects.toThrow()
    expect((await unheard.read(state(2))).entry.generation).toBe(2)
  })

  describe('while somebody else makes a newer answer', () => {
    /** Isolates of which the first has been asked again after a change that `changes` heard of, and is not done. */
    async function beingMade(policy: CachePolicy, changes: 'there' | 'elsewhere') {
      const clock = new Clock()
      const [maker, reader] = [isolate({ clock }), isolate({ clock })]
      const made = Promise.withResolvers<void>()
      const request = { scope: scope(), key: 'question', minGeneration: 0, policy }
      await maker.cache.read(request, state(1))
      await maker.settled()
      await (changes === 'there' ? reader : isolate({ clock })).cache.raise(scope(), 2)
      const begun = Promise.withResolvers<void>()
      const making = maker.cache.read(request, async () => {
        begun.resolve()
        await made.promise
        return state(2)()
      })
      await begun.promise
      const asked = reader.cache.read(request, state(99))
      const end = async () => {
        made.resolve()
        await making
      }
      return { asked, end }
    }
    const ASKED_EACH_TIME = { regionMs: 300_000, graceMs: 300_000 }

    it('gives the older one to whoever knows of no change', async () => {
      const { asked, end } = await beingMade(ASKED_EACH_TIME, 'elsewhere')
      expect((await asked).entry.generation).toBe(1)
      await end()
    })

    it.each([
      ['made the change', ASKED_EACH_TIME, 'there'],
      ['asks to see changes', { ...ASKED_EACH_TIME, graceMs: 0 }, 'elsewhere'],
    ] as const)('makes whoever %s wait for it', async (_who, policy, changes) => {
      const { asked, end } = await beingMade(policy, changes)
      await sleep(100)
      await end()
      const { entry } = await asked
      expect(JSON.parse(entry.body)).toMatchObject({ text: 'state 2' })
    })
  })

  it('knows a raised generation in Redis at once, and the tiers above within their seconds', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    await reader.cache.raise(scope(), 2)
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
    await quick.cache.raise(scope(), 2)
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

  it('tells whoever makes an answer how new it has to be, where Redis knows', async () => {
    const clock = new Clock()
    const colo = sharedColo()
    const needed: (number | null)[] = []
    const ask = ({ cache }: ReturnType<typeof isolate>, generation: number, minGeneration = 0) =>
      cache.read({ scope: scope(), key: 'question', minGeneration, policy: POLICY }, async (atLeast) => {
        needed.push(atLeast)
        return state(generation)()
      })
    const first = isolate({ clock })
    await ask(first, 1)
    await first.settled()
    await first.cache.raise(scope(), 2)
    await ask(isolate({ clock, colo }), 3, 99)
    // What the data centre has was true once, whatever Redis has been told.
    clock.atMs += 20_000
    await first.cache.raise(scope(), 4)
    await colo.put(`${scope()}/question`, {
      ...{ body: '{"stale":false}', etag: '"5"', generation: 5, computedAtMs: 0, validatedAtMs: 0 },
    })
    await ask(isolate({ clock, colo }), 5)
    await ask(isolate({ clock, redisUrl: NO_REDIS }), 5)
    expect(needed).toEqual([null, 2, 5, null])
  })

  it('renews what is in use before its time is over, and makes nobody wait for that', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    for (let i = 0; i < 20; i += 1) {
      clock.atMs += 1_000
      expect((await reader.read(state(1))).tier).toBe('memory')
      await reader.settled()
    }
    expect(reader.computed()).toBe(1)
    // So it learns of changes, too.
    await isolate({ clock }).cache.raise(scope(), 2)
    let seconds = 0
    for (let generation = 1; generation < 2; seconds += 1) {
      clock.atMs += 1_000
      const answer = await reader.read(state(2))
      expect(answer.tier).toBe('memory')
      generation = answer.entry.generation
      await reader.settled()
    }
    expect(seconds).toBeLessThanOrEqual(6)
  })

  it('does not renew at the same moment what was answered at the same moment', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    const requests = Array.from({ length: 50 }, (_, i) => ({
      ...{ scope: scope(), key: `question ${i}`, minGeneration: 0, policy: POLICY },
    }))
    await Promise.all(requests.map((request) => reader.cache.read(request, state(1))))
    const due = () => requests.filter((request) => reader.cache.peek(request) === null).length
    clock.atMs += 1_400
    expect(due()).toBe(0)
    clock.atMs += 1_100
    expect(due()).toBeGreaterThan(5)
    expect(due()).toBeLessThan(45)
    clock.atMs += 1_100
    expect(due()).toBe(50)
  })

  it('asks the database once for a thousand who ask at the moment of expiry, by Redis or without', async () => {
    for (const redisUrl of [inject('redisUrl'), NO_REDIS]) {
      newScope()
      const clock = new Clock()
      const isolates = Array.from({ length: 4 }, () => isolate({ clock, redisUrl }))
      await Promise.all(isolates.map((one) => one.read(state(1))))
      const before = isolates.map((one) => one.computed())
      clock.atMs += 700_000
      await isolate({ clock, redisUrl })
        .cache.raise(scope(), 2)
        .catch(() => {})
      const slow = async () => {
        await new Promise((resolve) => setTimeout(resolve, 80))
        return state(2)()
      }
      const answers = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => isolates[i % 4]?.read(slow, 2)),
      )
      const made = isolates.map((one, i) => one.computed() - (before[i] ?? 0))
      if (redisUrl === inject('redisUrl')) expect(made.reduce((sum, n) => sum + n, 0)).toBe(1)
      else expect(made).toEqual([1, 1, 1, 1])
      expect(new Set(answers.map((answer) => answer?.entry.generation))).toEqual(new Set([2]))
    }
  })

  it('stores nothing that was made under an older token over what was made under a later one', async () => {
    const region = createRegionTier(redisAt(inject('redisUrl')))
    const base = { scope: scope(), key: 'question' }
    const ask = (nowMs: number) =>
      region.get({
        ...base,
        minGeneration: 0,
        seenGeneration: 0,
        nowMs,
        lockMs: 1_000,
        freshMs: 1_000,
        warm: null,
      })
    const entry = (body: string) => ({ body, etag: `"${body}"`, generation: 3, computedAtMs: 1_000 })
    const slow = await ask(1_000)
    expect(slow).toMatchObject({ state: 'lock', entry: null })
    expect((await ask(1_000)).state).toBe('wait')
    // Until the lock is over by itself: whoever has it takes too long.
    const quick = await vi.waitUntil(
      async () => {
        const answer = await ask(1_000)
        return answer.state === 'lock' && answer
      },
      { timeout: 10_000, interval: 50 },
    )
    expect(quick.fence).toBeGreaterThan(slow.fence)
    const put = (body: string, fence: number) =>
      region.put({ ...base, entry: entry(body), freshUntilMs: 2_000, fence, costMs: 1 })
    await put('quick', quick.fence)
    await put('slow', slow.fence)
    expect((await ask(1_100)).entry?.body).toBe('quick')
    // Nor is it fresh for somebody whose clock is far behind.
    expect((await ask(-10_000_000)).state).not.toBe('hit')
  })
})
