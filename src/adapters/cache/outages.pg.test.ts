import { describe, expect, it } from 'vitest'
import {
  broken,
  Clock,
  isolatesOfAScope,
  NO_REDIS,
  POLICY,
  sharedColo,
  state,
} from '../../../test/harness/isolates.ts'
import { AppError } from '../../errors.ts'

const { isolate, newScope, scope } = isolatesOfAScope()

describe('a cached read without the database', () => {
  it('serves what it knows, marked stale, when the origin fails, and fails where nothing is known', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    clock.atMs += 700_000
    const answer = await reader.read(broken)
    expect(answer.entry.stale).toBe(true)
    expect(JSON.parse(answer.entry.body)).toEqual({ text: 'state 1', stale: true })
    const fresh = isolate({ clock })
    newScope()
    await expect(fresh.read(broken)).rejects.toThrow('database gone')
    // The lock of the failed one does not keep the next from trying.
    expect((await fresh.read(state(2))).entry.generation).toBe(2)
  })

  it('hides from nobody what the origin says of the question itself', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    clock.atMs += 700_000
    const gone = reader.read(async () => {
      throw new AppError('not_found', 'no such workspace')
    })
    await expect(gone).rejects.toThrow('no such workspace')
  })

  it('lets nobody wait for an answer whose time alone is over, and says when it cannot be renewed', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    clock.atMs += 301_000
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const first = await reader.read(async () => {
      await held
      return broken()
    })
    expect([first.tier, first.entry.stale, reader.computed()]).toEqual(['region', false, 2])
    release()
    await reader.settled()
    clock.atMs += 1_000
    expect((await reader.read(broken)).entry.stale).toBe(true)
    await reader.settled()
    clock.atMs += 1_000
    await reader.read(state(1, 'later'))
    await reader.settled()
    clock.atMs += 1_000
    expect(JSON.parse((await reader.read(state(1))).entry.body)).toEqual({ text: 'later', stale: false })
  })

  it('marks what Redis still has as stale while the database is known to be down', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    await reader.read(state(1))
    clock.atMs += 20_000
    reader.origin.isDown = true
    const answer = await reader.read(broken)
    expect([answer.tier, answer.entry.stale]).toEqual(['region', true])
    expect(reader.computed()).toBe(1)
    reader.origin.isDown = false
    clock.atMs += 4_100
    expect((await reader.read(state(1))).entry.stale).toBe(false)
  })

  it('asks Redis alone while the database is known to be down, and keeps nobody else from asking the database', async () => {
    const clock = new Clock()
    const colo = sharedColo()
    let asked = 0
    const counted = { ...colo, get: (key: string) => colo.get(key).finally(() => (asked += 1)) }
    const cutOff = isolate({ clock, colo: counted })
    await cutOff.read(state(1))
    await cutOff.settled()
    await isolate({ clock }).cache.raise(scope(), 2)
    clock.atMs += 20_000
    asked = 0
    cutOff.origin.isDown = true
    expect((await cutOff.read(broken)).entry.stale).toBe(true)
    const elsewhere = await isolate({ clock }).read(state(2))
    expect([elsewhere.tier, elsewhere.entry.generation]).toEqual(['origin', 2])
    expect([asked, cutOff.computed()]).toEqual([0, 1])
    // Where Redis has nothing, or does not answer either, what the data centre has is better than nothing.
    const alone = isolate({ clock, colo: counted, redisUrl: NO_REDIS })
    alone.origin.isDown = true
    const answer = await alone.read(broken)
    expect([answer.tier, answer.entry.stale]).toEqual(['colo', true])
  })

  it('fails once for many who wait for the same, and not one after the other', async () => {
    const clock = new Clock()
    const reader = isolate({ clock })
    const asked = Array.from({ length: 50 }, () =>
      reader.read(async () => {
        await new Promise((resolve) => setTimeout(resolve, 50))
        return broken()
      }),
    )
    const settled = await Promise.allSettled(asked)
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
    expect(reader.computed()).toBe(1)
  })
})

describe('a cached read without Redis', () => {
  it('goes on', async () => {
    const clock = new Clock()
    const reader = isolate({ clock, redisUrl: NO_REDIS })
    expect((await reader.read(state(1))).tier).toBe('origin')
    expect((await reader.read(state(1))).tier).toBe('memory')
    clock.atMs += 20_000
    expect((await reader.read(state(2))).entry.generation).toBe(2)
  })

  it('asks the database whether anything has changed, and not for the whole answer', async () => {
    const clock = new Clock()
    const reader = isolate({ clock, redisUrl: NO_REDIS })
    await reader.read(state(1))
    reader.origin.generation = 1
    for (let i = 0; i < 10; i += 1) {
      clock.atMs += 11_000
      expect((await reader.read(state(1))).entry.generation).toBe(1)
      await reader.settled()
    }
    expect([reader.computed(), reader.origin.asked]).toEqual([1, 10])
    reader.origin.generation = 2
    clock.atMs += 11_000
    expect((await reader.read(state(2))).entry.generation).toBe(2)
    // What was served stale meanwhile is not taken for what the database vouches for.
    clock.atMs += 301_000
    expect((await reader.read(broken)).entry.stale).toBe(true)
    clock.atMs += 5_000
    expect((await reader.read(state(2))).entry.stale).toBe(false)
    // Its time is over in the end.
    clock.atMs += 301_000
    await reader.read(state(2))
    expect(reader.computed()).toBe(5)
  })

  it('makes nobody wait for a change that the database tells of while another question is renewed', async () => {
    const clock = new Clock()
    const { cache, origin, regionBreaker, settled } = isolate({ clock, redisUrl: NO_REDIS })
    const read = (key: string, generation: number, minGeneration = 0) =>
      cache.read({ scope: scope(), key, minGeneration, policy: POLICY }, state(generation))
    const generationOf = async (key: string, generation: number, minGeneration = 0) =>
      (await read(key, generation, minGeneration)).entry.generation
    for (let i = 0; regionBreaker.state !== 'open'; i += 1) await read(`other ${i}`, 1)
    await read('early', 1)
    clock.atMs += 3_500
    for (const key of ['late', 'later', 'last']) await read(key, 1)
    await settled()

    origin.generation = 2
    // Renewed by whoever asks now, who is answered at once.
    expect(await generationOf('early', 2)).toBe(1)
    await settled()
    expect(await generationOf('early', 2)).toBe(2)
    expect(await read('late', 2)).toMatchObject({ tier: 'memory', entry: { generation: 1, stale: false } })
    // Who was told of it is not given what is older, nor is anyone after them.
    expect(await generationOf('late', 2, 2)).toBe(2)
    expect(await generationOf('late', 2)).toBe(2)
    expect(await generationOf('later', 2)).toBe(1)
    cache.note(scope(), 2)
    expect(await generationOf('later', 2)).toBe(2)
    // The others within their seconds.
    clock.atMs += POLICY.memoryMs ?? 0
    expect(await generationOf('last', 2)).toBe(2)
  })
})
