import { beforeEach, describe, expect, it } from 'vitest'
import { Breaker, BreakerOpenError, type BreakerOptions } from './breaker.ts'
import { within } from './timeout.ts'

class ManualClock {
  atMs = 1_000_000
  now = () => this.atMs
}

class Outage extends Error {}

let clock: ManualClock
let breaker: Breaker
let calls: number
let logged: unknown[][]

const make = (options: BreakerOptions = {}) =>
  new Breaker('postgres', clock, {
    failures: 3,
    openForMs: 30_000,
    log: {
      info: (...entry) => logged.push(['info', ...entry]),
      warn: (...entry) => logged.push(['warn', ...entry]),
    },
    ...options,
  })

beforeEach(() => {
  clock = new ManualClock()
  logged = []
  breaker = make()
  calls = 0
})

const works = () =>
  breaker.run(async () => {
    calls += 1
    return 'answer'
  })

const fails = (counts?: (error: unknown) => boolean) =>
  breaker
    .run(async () => {
      calls += 1
      throw new Outage('no answer')
    }, counts)
    .catch((error: unknown) => error)

/** A call that waits until it is told how to end. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const ended = breaker.run(() => promise).catch((error: unknown) => error)
  return { resolve, reject, ended }
}

const refusal = () =>
  works().then(
    () => null,
    (error: unknown) => error,
  )

/** What a probe asks, when it is answered and when it is not. */
const answers = async () => {}
const rejects = async () => {
  throw new Outage('no answer')
}

const open = async () => {
  for (let i = 0; i < 3; i++) await fails()
}

describe('a breaker', () => {
  it('gives answers and errors through as they are', async () => {
    expect(await works()).toBe('answer')
    expect(await fails()).toBeInstanceOf(Outage)
    expect(breaker.state).toBe('closed')
  })

  it('opens after so many failures in a row, and then answers without calling', async () => {
    await fails()
    await fails()
    expect(breaker.state).toBe('closed')
    await fails()
    expect(breaker.state).toBe('open')
    const error: unknown = await works().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BreakerOpenError)
    expect(error).toMatchObject({ retryAfterMs: 5_000 })
    expect(String(error)).toContain('postgres')
    expect(calls).toBe(3)
  })

  it('opens after five failures, for half a minute, where nothing else is said', async () => {
    breaker = new Breaker('redis', clock)
    for (let i = 0; i < 4; i++) await fails()
    expect(breaker.state).toBe('closed')
    await fails()
    expect(breaker.state).toBe('open')
    clock.atMs += 29_999
    expect(breaker.state).toBe('open')
    clock.atMs += 1
    expect(breaker.state).toBe('half-open')
  })

  it('forgets failures at the first success', async () => {
    await fails()
    await fails()
    await works()
    await fails()
    await fails()
    expect(breaker.state).toBe('closed')
  })

  it('takes an error that does not count for an answer', async () => {
    await fails()
    await fails()
    await fails(() => false)
    await fails()
    await fails()
    expect(breaker.state).toBe('closed')
    await fails()
    expect(breaker.state).toBe('open')
  })

  it('asks of each error whether it counts', async () => {
    const asked: unknown[] = []
    await fails((error) => {
      asked.push(error)
      return true
    })
    expect(asked).toEqual([expect.any(Outage)])
  })

  it('says when to come again: within seconds, as a probe may close it, but not within less than one', async () => {
    await open()
    expect(await refusal()).toMatchObject({ retryAfterMs: 5_000 })
    clock.atMs += 27_000
    expect(await refusal()).toMatchObject({ retryAfterMs: 3_000 })
    clock.atMs += 2_900
    expect(await refusal()).toMatchObject({ retryAfterMs: 1_000 })
  })

  it('lets one call through when its time is over, and closes when that succeeds', async () => {
    await open()
    clock.atMs += 30_000
    const probe = pending()
    expect(await works().catch((error: unknown) => error)).toBeInstanceOf(BreakerOpenError)
    probe.resolve('back')
    expect(await probe.ended).toBe('back')
    expect(breaker.state).toBe('closed')
    expect(await works()).toBe('answer')
    await fails()
    await fails()
    expect(breaker.state).toBe('closed')
  })

  it('opens anew when that fails, for the whole time', async () => {
    await open()
    clock.atMs += 30_000
    await fails()
    expect(breaker.state).toBe('open')
    clock.atMs += 29_999
    expect(breaker.state).toBe('open')
    clock.atMs += 1
    expect(await works()).toBe('answer')
  })

  it('closes when that one is refused for a reason that does not count: there is somebody who refuses', async () => {
    await open()
    clock.atMs += 30_000
    expect(await fails(() => false)).toBeInstanceOf(Outage)
    expect(breaker.state).toBe('closed')
  })

  it('opens anew when a call fails that began before it opened, whatever was let through meanwhile', async () => {
    const slow = pending()
    await open()
    clock.atMs += 30_000
    const probe = pending()
    slow.reject(new Outage('late'))
    await slow.ended
    expect(breaker.state).toBe('open')
    probe.resolve('back')
    expect(await probe.ended).toBe('back')
    expect(breaker.state).toBe('closed')
  })

  it('is not stuck when the one let through never ends, as when its caller goes away', async () => {
    await open()
    clock.atMs += 30_000
    pending()
    expect(await works().catch((error: unknown) => error)).toBeInstanceOf(BreakerOpenError)
    clock.atMs += 29_999
    expect(await works().catch((error: unknown) => error)).toBeInstanceOf(BreakerOpenError)
    clock.atMs += 1
    expect(await works()).toBe('answer')
    expect(breaker.state).toBe('closed')
  })
})

describe('what a breaker tells', () => {
  it('is how many calls went how, and since when it is open', async () => {
    await works()
    await fails(() => false)
    await breaker.run(() => within(1, new Promise(() => {}))).catch(() => {})
    const unread = new Error('no answer', { cause: new DOMException('late', 'TimeoutError') })
    await breaker.run(() => Promise.reject(unread)).catch(() => {})
    await fails()
    clock.atMs += 10_000
    await refusal()
    await refusal()
    expect(breaker.report()).toEqual({
      name: 'postgres',
      mode: 'enforce',
      state: 'open',
      successes: 2,
      failures: 1,
      timeouts: 2,
      rejects: 2,
      openedAtMs: 1_000_000,
    })
    clock.atMs += 20_000
    await fails()
    expect(breaker.report()).toMatchObject({ state: 'open', openedAtMs: 1_000_000, failures: 2 })
    await breaker.probe(answers)
    expect(breaker.report()).toMatchObject({ state: 'closed', openedAtMs: null, rejects: 2 })
  })

  it('is logged once for each change', async () => {
    await works()
    await open()
    await refusal()
    clock.atMs += 30_000
    await fails()
    await breaker.probe(rejects)
    clock.atMs += 30_000
    await works()
    await works()
    const counts = { breaker: 'postgres', mode: 'enforce', timeouts: 0 }
    expect(logged).toEqual([
      ['warn', 'breaker open', { ...counts, successes: 1, failures: 3, rejects: 0 }],
      ['info', 'breaker half-open', { ...counts, successes: 1, failures: 3, rejects: 1 }],
      ['warn', 'breaker open', { ...counts, successes: 1, failures: 4, rejects: 1 }],
      ['info', 'breaker half-open', { ...counts, successes: 1, failures: 5, rejects: 1 }],
      ['info', 'breaker closed', { ...counts, successes: 2, failures: 5, rejects: 1 }],
    ])
  })
})

describe('a breaker that only observes', () => {
  beforeEach(() => {
    breaker = make({ mode: 'observe' })
  })

  it('refuses nothing, and counts and tells what it would have refused', async () => {
    await open()
    expect(await works()).toBe('answer')
    expect(await fails()).toBeInstanceOf(Outage)
    expect(calls).toBe(5)
    expect(breaker.report()).toMatchObject({
      state: 'open',
      mode: 'observe',
      rejects: 2,
      failures: 4,
      successes: 1,
    })
    expect(logged.map(([, message]) => message)).toEqual(['breaker open'])
  })

  it('is closed to whoever asks, and changes as it would if it refused', async () => {
    await open()
    expect(breaker.state).toBe('closed')
    clock.atMs += 29_999
    await fails()
    clock.atMs += 1
    expect(breaker.report().state).toBe('half-open')
    const trial = pending()
    expect(await works()).toBe('answer')
    expect(breaker.report()).toMatchObject({ state: 'half-open', rejects: 2 })
    trial.resolve('back')
    await trial.ended
    expect(breaker.report().state).toBe('closed')
  })
})

describe('a probe', () => {
  it('opens a breaker that nothing has failed of, when a second try fails as well', async () => {
    let tries = 0
    await breaker.probe(async () => {
      tries += 1
      throw new Outage('no answer')
    })
    expect([tries, breaker.state]).toEqual([2, 'open'])
    expect(await refusal()).toBeInstanceOf(BreakerOpenError)
  })

  it('leaves it closed when the second try is answered, and forgets earlier failures', async () => {
    await fails()
    await fails()
    let tries = 0
    await breaker.probe(async () => {
      tries += 1
      if (tries === 1) throw new Outage('no answer')
    })
    expect(tries).toBe(2)
    expect(breaker.isTroubled).toBe(false)
    await fails()
    expect(breaker.state).toBe('closed')
    expect(breaker.isTroubled).toBe(true)
  })

  it('closes one that is open, at once', async () => {
    await open()
    await breaker.probe(answers)
    expect(breaker.state).toBe('closed')
    expect(await works()).toBe('answer')
  })

  it('is answered by whoever refuses', async () => {
    await open()
    await breaker.probe(rejects, () => false)
    expect(breaker.state).toBe('closed')
  })

  it('keeps it open with one try, so that no request is let through while probes go on', async () => {
    await open()
    for (let i = 0; i < 20; i++) {
      clock.atMs += 29_000
      const before = breaker.report().failures
      await breaker.probe(rejects)
      expect(breaker.report().failures).toBe(before + 1)
      expect(await refusal()).toBeInstanceOf(BreakerOpenError)
    }
  })

  it('is the one to try when the time is over, and no request beside it', async () => {
    await open()
    clock.atMs += 30_000
    const { promise, resolve } = Promise.withResolvers<void>()
    const probed = breaker.probe(() => promise)
    expect(await refusal()).toBeInstanceOf(BreakerOpenError)
    resolve()
    await probed
    expect(await works()).toBe('answer')
  })

  it('that never ends does not keep requests from trying for ever', async () => {
    await open()
    clock.atMs += 30_000
    void breaker.probe(() => new Promise(() => {}))
    clock.atMs += 30_000
    expect(await works()).toBe('answer')
  })

  it('proves nothing where others were answered while it waited', async () => {
    await breaker.probe(async () => {
      clock.atMs += 1
      await works()
      throw new Outage('no answer')
    })
    expect(breaker.state).toBe('closed')
  })
})
