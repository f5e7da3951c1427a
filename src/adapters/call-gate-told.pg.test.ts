import { beforeEach, expect, it } from 'vitest'
import type { CallOutcome, GatedCall, RateSignal } from '../ports.ts'
import {
  callOf,
  describeWithEachRedis,
  type GateRig,
  HOUR_MS,
  type Isolate,
  isRefusal,
  OK,
} from './call-gate.test-helper.ts'

describeWithEachRedis('what a platform says of its limit', (newRig) => {
  let rig: GateRig
  let one: Isolate
  let two: Isolate
  beforeEach(() => {
    rig = newRig()
    one = rig.isolate()
    two = rig.isolate()
  })

  /** Makes a call whose answer says so; moments are from now. */
  async function hear(
    said: Partial<RateSignal> & { retryAfterMs?: number },
    call: GatedCall = callOf(),
  ): Promise<void> {
    const { retryAfterMs = null, limit = null, remaining = null, resetAtMs = null } = said
    const signal = { limit, remaining, resetAtMs: resetAtMs === null ? null : rig.now() + resetAtMs }
    const outcome: CallOutcome = { ...OK, signal, retryAfterMs }
    await one.make(call, outcome)
  }

  it('pauses everybody until its window ends, when nine tenths are spent', async () => {
    await hear({ limit: 300, remaining: 30, resetAtMs: 90_000 })
    for (const isolate of [one, two])
      expect(await isolate.admit(callOf())).toMatchObject({ kind: 'rate_limited', retryAfterMs: 90_000 })
    expect(await rig.operations.allowances()).toMatchObject([{ used: 1, pausedUntilMs: rig.now() + 90_000 }])
    rig.pass(90_000)
    expect([await one.count(callOf(), 1), await two.count(callOf(), 1)]).toEqual([1, 1])
    expect(await rig.operations.allowances()).toMatchObject([{ used: 3, pausedUntilMs: null }])
  })

  it('pauses this isolate at once, before the others were told', async () => {
    const admitted = await one.admit(callOf())
    if (isRefusal(admitted)) throw admitted
    admitted.settle({ ...OK, retryAfterMs: 60_000 })
    expect(await one.admit(callOf())).toMatchObject({ kind: 'rate_limited', retryAfterMs: 60_000 })
    await one.booked()
  })

  it('is obeyed where it says for how long not to call', async () => {
    await hear({ retryAfterMs: 240_000 })
    expect(await two.admit(callOf())).toMatchObject({ kind: 'rate_limited', retryAfterMs: 240_000 })
    rig.pass(239_999)
    expect(await two.count(callOf(), 1)).toBe(0)
    rig.pass(1)
    expect(await two.count(callOf(), 1)).toBe(1)
  })

  it.each<[string, Partial<RateSignal>]>([
    ['there is more left', { limit: 300, remaining: 31, resetAtMs: 90_000 }],
    ['the window is over', { limit: 300, remaining: 0, resetAtMs: -1 }],
    ['nobody says when it ends', { limit: 300, remaining: 0 }],
    ['nobody says what is left', { limit: 300, resetAtMs: 90_000 }],
    ['there is more left of the limit that we know', { remaining: 5, resetAtMs: 90_000 }],
  ])('pauses nobody where %s', async (_, said) => {
    await hear(said)
    expect([await one.count(callOf(), 1), await two.count(callOf(), 1)]).toEqual([1, 1])
  })

  it('is held against the limit that we know where it names none', async () => {
    await hear({ remaining: 3, resetAtMs: 90_000 })
    expect(await two.count(callOf(), 1)).toBe(0)
  })

  it('lowers the allowance of everybody where it names a lower limit, for an hour', async () => {
    await hear({ limit: 10, remaining: 10, resetAtMs: 90_000 })
    expect(await two.count(callOf(), 20)).toBe(8)
    expect(await rig.operations.allowances()).toMatchObject([{ limit: 10, allowed: 9, used: 9 }])
    const large = callOf({ rules: [{ key: 'calls', limit: 30, windowSeconds: 300, units: 20 }] })
    expect(await rig.isolate().admit(large)).toMatchObject({ retryAfterMs: HOUR_MS })
    rig.pass(HOUR_MS)
    expect(await two.count(callOf(), 40)).toBe(27)
  })

  it('lowers it to the lowest of several', async () => {
    await hear({ limit: 10 })
    await hear({ limit: 20 })
    expect(await two.count(callOf(), 20)).toBe(7)
  })

  it('never raises the allowance, nor takes shares in percent for calls', async () => {
    await hear({ limit: 1_000, remaining: 900, resetAtMs: 90_000 })
    expect(await two.count(callOf(), 40)).toBe(26)
    const page = callOf({
      platform: 'facebook',
      server: null,
      rules: [{ key: 'page', limit: 200, windowSeconds: 300 }],
    })
    await hear({ limit: 100, remaining: 40, resetAtMs: 90_000 }, page)
    expect(await two.count(page, 120)).toBe(120)
    await hear({ limit: 100, remaining: 10, resetAtMs: 90_000 }, page)
    expect(await two.admit(page)).toMatchObject({ retryAfterMs: 90_000 })
  })

  it('counts what others have spent of the same allowance, and forgets it with its window', async () => {
    await hear({ limit: 30, remaining: 12, resetAtMs: 90_000 })
    expect(await rig.operations.allowances()).toMatchObject([{ used: 18, pausedUntilMs: null }])
    expect(await two.count(callOf(), 30)).toBe(9)
    // An older answer, and what was known already, take nothing more.
    rig.pass(HOUR_MS)
    await hear({ limit: 30, remaining: 25, resetAtMs: 90_000 })
    await hear({ limit: 30, remaining: 28, resetAtMs: 90_000 })
    expect(await rig.operations.allowances()).toMatchObject([{ used: 6 }])
  })

  it('takes nothing from a share that an operator has set lower than the limit, nor of percents', async () => {
    await hear({ limit: 300, remaining: 100, resetAtMs: 90_000 })
    await hear(
      { limit: 30, remaining: 12, resetAtMs: 90_000 },
      { ...callOf(), platform: 'facebook', server: null },
    )
    expect(await rig.operations.allowances()).toMatchObject([{ used: 2 }])
  })

  it('pauses for an hour at most for what it says of a limit, where its window is no longer', async () => {
    const long = callOf({ rules: [{ key: 'long', limit: 300, windowSeconds: 86_400 }] })
    for (const [call, mostMs] of [
      [callOf(), HOUR_MS],
      [long, 24 * HOUR_MS],
    ] as const) {
      await hear({ limit: 300, remaining: 0, resetAtMs: 30 * 24 * HOUR_MS }, call)
      for (const isolate of [one, two])
        expect(await isolate.admit(call)).toMatchObject({ retryAfterMs: mostMs })
    }
    rig.pass(HOUR_MS)
    expect(await two.count(callOf(), 1)).toBe(1)
  })

  it('pauses a day’s allowance until midnight at most, and so long where it names no end', async () => {
    const rule = { limit: 10_000, windowSeconds: 86_400, dayIn: 'America/Los_Angeles' } as const
    const ends = Date.parse('2026-11-23T08:00:00Z')
    for (const [key, said] of Object.entries({
      refused: { retryAfterMs: 400 * HOUR_MS },
      little: { remaining: 0 },
    })) {
      const call = callOf({ rules: [{ ...rule, key }] })
      await hear(said, call)
      expect(await two.admit(call)).toMatchObject({ retryAfterMs: ends - rig.now() })
    }
  })

  it('never shortens a pause that was asked for', async () => {
    const under = [await one.admit(callOf()), await one.admit(callOf())]
    for (const [i, admitted] of under.entries()) {
      if (isRefusal(admitted)) throw admitted
      admitted.settle({ ...OK, retryAfterMs: i === 0 ? 90_000 : 5_000 })
      await one.booked()
    }
    expect(await two.admit(callOf())).toMatchObject({ retryAfterMs: 90_000 })
    rig.pass(5_000)
    expect(await one.admit(callOf())).toMatchObject({ retryAfterMs: 85_000 })
  })

  it('speaks of the first rule alone', async () => {
    const rules = ['first', 'second'].map((key) => ({ key, limit: 30, windowSeconds: 300 }))
    await hear({ limit: 30, remaining: 0, resetAtMs: 90_000 }, callOf({ rules }))
    expect(await two.count(callOf({ rules: rules.slice(0, 1) }), 1)).toBe(0)
    expect(await two.count(callOf({ rules: rules.slice(1) }), 1)).toBe(1)
  })
})
