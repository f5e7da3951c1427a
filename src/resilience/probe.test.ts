import { beforeEach, describe, expect, it } from 'vitest'
import { Breaker } from './breaker.ts'
import { createProbe, type Probe } from './probe.ts'

class ManualClock {
  atMs = 1_000_000
  now = () => this.atMs
}

let clock: ManualClock
let postgres: Breaker
let redis: Breaker
let probe: Probe
/** What was asked, in order. */
let asked: string[]
/** What does not answer. */
let down: Set<string>
let work: Promise<unknown>[]

beforeEach(() => {
  clock = new ManualClock()
  asked = []
  down = new Set()
  work = []
  const target = (breaker: Breaker) => ({
    breaker,
    ask: async () => {
      asked.push(breaker.name)
      if (down.has(breaker.name)) throw new Error('no answer')
    },
    timeoutMs: 20,
  })
  postgres = new Breaker('postgres', clock)
  redis = new Breaker('redis', clock)
  probe = createProbe([target(postgres), target(redis)], { clock, waitUntil: (one) => void work.push(one) })
})

/** Requests once a second, and what is asked meanwhile. */
async function requests(seconds: number): Promise<string[]> {
  const from = asked.length
  for (let second = 0; second < seconds; second++) {
    probe.soon()
    await Promise.all(work.splice(0))
    clock.atMs += 1_000
  }
  return asked.slice(from)
}

const failOnce = (breaker: Breaker) => breaker.run(() => Promise.reject(new Error('no'))).catch(() => {})

describe('the probe', () => {
  it('asks nothing at first, and each once a minute while all is well', async () => {
    expect(await requests(60)).toEqual([])
    expect(await requests(1)).toEqual(['postgres', 'redis'])
    expect(await requests(59)).toEqual([])
    expect(await requests(1)).toEqual(['postgres', 'redis'])
  })

  it('asks more often what it is told to', async () => {
    const watched = createProbe(
      [{ breaker: postgres, ask: async () => asked.push('postgres'), timeoutMs: 20, wellEveryMs: 10_000 }],
      { clock, waitUntil: (one) => void work.push(one) },
    )
    probe = watched
    expect(await requests(31)).toEqual(['postgres', 'postgres', 'postgres'])
  })

  it('looks at what has failed at the next request, and opens its breaker when it fails twice', async () => {
    down.add('redis')
    await failOnce(redis)
    expect(await requests(1)).toEqual(['redis', 'redis'])
    expect([postgres.state, redis.state]).toEqual(['closed', 'open'])
  })

  it('looks every three seconds until it answers, and lets no request try meanwhile', async () => {
    down.add('postgres')
    for (let i = 0; i < 5; i++) await failOnce(postgres)
    expect(await requests(59)).toHaveLength(20)
    expect(postgres.state).toBe('open')
    down.clear()
    const before = clock.atMs
    while (postgres.state !== 'closed') await requests(1)
    expect(clock.atMs - before).toBeLessThanOrEqual(3_000)
    expect(await requests(30)).not.toContain('postgres')
  })

  it('fails where there is no answer in time', async () => {
    probe = createProbe([{ breaker: redis, ask: () => new Promise(() => {}), timeoutMs: 1 }], {
      clock,
      waitUntil() {},
    })
    await probe.now()
    expect(redis.report()).toMatchObject({ state: 'open', timeouts: 2, failures: 0 })
  })

  it('asks all of them at once where it is waited for, and not again soon', async () => {
    await requests(30)
    await probe.now()
    expect(asked).toEqual(['postgres', 'redis'])
    expect(await requests(60)).toEqual([])
  })

  it('takes an error for an answer that does not count', async () => {
    const refuse = () => Promise.reject(new Error('syntax error'))
    const target = { breaker: postgres, ask: refuse, timeoutMs: 20, counts: () => false }
    await createProbe([target], { clock, waitUntil() {} }).now()
    expect(postgres.report()).toMatchObject({ state: 'closed', successes: 1 })
  })
})
