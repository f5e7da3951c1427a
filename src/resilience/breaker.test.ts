import { beforeEach, describe, expect, it } from 'vitest'
import { Breaker, BreakerOpenError } from './breaker.ts'

class ManualClock {
  atMs = 1_000_000
  now = () => this.atMs
}

class Outage extends Error {}

let clock: ManualClock
let breaker: Breaker
let calls: number
beforeEach(() => {
  clock = new ManualClock()
  breaker = new Breaker('postgres', clock, { failures: 3, openForMs: 30_000 })
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
    expect(error).toMatchObject({ retryAfterMs: 30_000 })
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

  it('says how long it is still open, but never less than a second', async () => {
    await open()
    clock.atMs += 20_000
    expect(await works().catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 10_000 })
    clock.atMs += 9_900
    expect(await works().catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 1_000 })
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
