import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { callOf, describeWithEachRedis, type GateRig, isRefusal } from './call-gate.test-helper.ts'

const WINDOW_MS = 300_000

describeWithEachRedis('an allowance that slides', (newRig) => {
  let rig: GateRig
  beforeEach(() => {
    rig = newRig()
  })

  it('is nine tenths of what the platform allows, between all isolates', async () => {
    const isolates = [rig.isolate(), rig.isolate(), rig.isolate()]
    const counts: number[] = []
    for (const isolate of isolates) counts.push(await isolate.count(callOf(), 10))
    expect(counts).toEqual([10, 10, 7])
  })

  it('is no more when fifty ask at once', async () => {
    const isolates = [rig.isolate(), rig.isolate()]
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => isolates[i % 2]?.admit(callOf())))
    expect(answers.filter((answer) => answer && !isRefusal(answer))).toHaveLength(27)
    expect(await rig.operations.allowances()).toMatchObject([{ key: 'calls', used: 27, allowed: 27 }])
  })

  it.each([
    [1, 1],
    [2, 1],
    [10, 9],
    [15, 13],
  ])('of a limit of %d is %d', async (limit, allowed) => {
    const call = callOf({ rules: [{ key: 'calls', limit, windowSeconds: 300 }] })
    expect(await rig.isolate().count(call, 15)).toBe(allowed)
  })

  it('says when there will be enough: when the oldest bucket has left the window', async () => {
    const isolate = rig.isolate()
    // In the middle of a bucket, which is 5 s long.
    rig.pass(2_000)
    await isolate.count(callOf(), 1)
    rig.pass(60_000)
    await isolate.count(callOf(), 26)
    const refusal = await isolate.admit(callOf())
    expect(refusal).toMatchObject({ kind: 'rate_limited', isRefusal: true, retryAfterMs: 243_000 })
    expect(refusal).toHaveProperty('message', expect.stringContaining('calls'))
    rig.pass(242_999)
    expect(await isolate.count(callOf(), 1)).toBe(0)
    expect(await rig.isolate().count(callOf(), 1)).toBe(0)
    rig.pass(1)
    expect(await isolate.count(callOf(), 2)).toBe(1)
  })

  it('says when there will be enough, whosever clock was ahead', async () => {
    const call = callOf({ rules: [{ key: 'calls', limit: 3, windowSeconds: 300 }] })
    expect(await rig.isolate({ aheadMs: 5_000 }).count(call, 1)).toBe(1)
    expect(await rig.isolate().count(call, 1)).toBe(1)
    expect(await rig.isolate().admit(call)).toMatchObject({ retryAfterMs: 305_000 })
  })

  it('says when the last of several will be enough', async () => {
    const rules = [
      { key: 'slow', limit: 1, windowSeconds: 900 },
      { key: 'fast', limit: 1, windowSeconds: 60 },
    ]
    expect(await rig.isolate().count(callOf({ rules }), 1)).toBe(1)
    for (const asked of [rules, rules.toReversed()])
      expect(await rig.isolate().admit(callOf({ rules: asked }))).toMatchObject({
        retryAfterMs: 915_000,
        message: expect.stringContaining('slow'),
      })
  })

  it('is taken by the unit, and a small call passes where a large one waits', async () => {
    const isolate = rig.isolate()
    const of = (units: number) => callOf({ rules: [{ key: 'units', limit: 100, windowSeconds: 300, units }] })
    expect(await isolate.count(of(40), 3)).toBe(2)
    expect(await isolate.count(of(10), 2)).toBe(1)
    expect(await isolate.count(of(1), 1)).toBe(0)
  })

  it('refuses for good what is larger than the whole', async () => {
    const call = callOf({ rules: [{ key: 'units', limit: 100, windowSeconds: 300, units: 91 }] })
    const refusal = await rig.isolate().admit(call)
    expect(refusal).toMatchObject({ kind: 'bad_request', retryable: false, retryAfterMs: null })
    expect(refusal).toHaveProperty('message', expect.stringContaining('91'))
  })

  it('is one of several that are taken together, or not at all', async () => {
    const isolate = rig.isolate()
    const pages = { key: 'pages', limit: 10, windowSeconds: 900 }
    const calls = { key: 'calls', limit: 30, windowSeconds: 300 }
    expect(await isolate.count(callOf({ rules: [pages, calls] }), 15)).toBe(9)
    const refusal = await rig.isolate().admit(callOf({ rules: [calls, pages] }))
    expect(refusal).toHaveProperty('message', expect.stringContaining('pages'))
    expect(await rig.operations.allowances()).toMatchObject([
      { key: 'calls', used: 9, windowSeconds: 300 },
      { key: 'pages', used: 9, windowSeconds: 900 },
    ])
    expect(await isolate.count(callOf({ rules: [calls] }), 30)).toBe(18)
  })

  it('is left in part to what is more urgent, by all who can wait', async () => {
    const isolate = rig.isolate()
    // Of 27 a quarter is 7 when rounded up, and an eighth 4.
    const [canWaitLong, canWait] = [callOf({ leaves: 1 / 4 }), callOf({ leaves: 1 / 8 })]
    expect(await isolate.count(canWaitLong, 30)).toBe(20)
    expect(await isolate.count(canWait, 30)).toBe(3)
    expect(await isolate.count(callOf(), 30)).toBe(4)
    // Once all of it is used, that has to come down to their part before they are admitted.
    rig.pass(WINDOW_MS + 5_000)
    await isolate.count(callOf(), 5)
    rig.pass(60_000)
    await isolate.count(callOf(), 22)
    expect(await isolate.admit(canWaitLong)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 305_000 })
    expect(await isolate.admit(canWait)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 245_000 })
    expect(await isolate.admit(callOf())).toMatchObject({ kind: 'rate_limited', retryAfterMs: 245_000 })
  })

  it('leaves nothing where that would be all that a call needs', async () => {
    const of = (units: number) =>
      callOf({ leaves: 1 / 4, rules: [{ key: 'units', limit: 100, windowSeconds: 300, units }] })
    expect(await rig.isolate().count(of(90), 2)).toBe(1)
    const small = callOf({ leaves: 1 / 4, rules: [{ key: 'small', limit: 4, windowSeconds: 300 }] })
    expect(await rig.isolate().count(small, 5)).toBe(2)
    const single = callOf({ leaves: 1 / 4, rules: [{ key: 'single', limit: 1, windowSeconds: 300 }] })
    expect(await rig.isolate().count(single, 2)).toBe(1)
  })

  it('is no more within any window, wherever that begins, though clocks go back a little', async () => {
    const step = fc.record({
      waitMs: fc.oneof(
        fc.integer({ min: 0, max: 3_000 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: -5_000, max: 0 }),
      ),
      units: fc.integer({ min: 1, max: 6 }),
      calls: fc.integer({ min: 1, max: 4 }),
      // Whether to wait as long as the last refusal says, when the call must be admitted.
      obeys: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 15, maxLength: 30 }),
        fc.constantFrom(60, 100, 300),
        async (steps, windowSeconds) => {
          const own = newRig()
          const taken: { atMs: number; units: number }[] = []
          const ruleOf = (units: number) => ({ key: 'any', limit: 25, windowSeconds, units })
          const attempt = async (units: number) => {
            const answer = await own.isolate().admit(callOf({ rules: [ruleOf(units)] }))
            if (isRefusal(answer)) return answer.retryAfterMs ?? Number.NaN
            taken.push({ atMs: own.now(), units })
            return null
          }
          for (const { waitMs, units, calls, obeys } of steps) {
            own.pass(waitMs)
            for (let i = 0; i < calls; i++) {
              const refusedForMs = await attempt(units)
              if (refusedForMs === null) continue
              if (!obeys) break
              own.pass(refusedForMs)
              expect(await attempt(units)).toBeNull()
            }
          }
          for (const { atMs: startMs } of taken) {
            const inWindow = taken.filter(
              ({ atMs }) => atMs >= startMs && atMs <= startMs + windowSeconds * 1_000,
            )
            expect(inWindow.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(22)
          }
        },
      ),
      { numRuns: 12 },
    )
  })
})

describeWithEachRedis('an allowance of a day', (newRig) => {
  const of = (units: number, dayIn: 'UTC' | 'America/Los_Angeles' = 'UTC') =>
    callOf({ rules: [{ key: 'units', limit: 10_000, windowSeconds: 86_400, dayIn, units }] })
  let rig: GateRig
  beforeEach(() => {
    rig = newRig()
  })

  it('gives a quarter of it at once, and the rest over the day', async () => {
    rig.setNow(Date.parse('2026-11-22T00:00:00Z'))
    const isolate = rig.isolate()
    expect(await isolate.count(of(450), 8)).toBe(5)
    const refusal = await isolate.admit(of(450))
    // 450 of the 6,750 that follow, in steps of five minutes: 19.2 steps.
    expect(refusal).toMatchObject({ kind: 'rate_limited', retryAfterMs: 20 * 300_000 })
    rig.pass(20 * 300_000 - 1)
    expect(await rig.isolate().count(of(450), 1)).toBe(0)
    rig.pass(1)
    expect(await rig.isolate().count(of(450), 2)).toBe(1)
    rig.setNow(Date.parse('2026-11-22T23:55:00Z'))
    expect(await isolate.count(of(450), 20)).toBe(14)
    expect(await rig.isolate().admit(of(1))).toMatchObject({ retryAfterMs: 300_000 })
    rig.pass(300_000)
    expect(await isolate.count(of(450), 8)).toBe(5)
  })

  it('is left in part to what is more urgent, of what is given so far', async () => {
    rig.setNow(Date.parse('2026-11-22T00:00:00Z'))
    const canWait = { ...of(10), leaves: 1 / 4 }
    // A quarter of 9,000 at once; of the 6,750 that are not left, too.
    expect(await rig.isolate().count(canWait, 200)).toBe(168)
    expect(await rig.isolate().count(of(10), 200)).toBe(57)
  })

  it('begins at midnight there, on a day of 25 hours as well', async () => {
    const isolate = rig.isolate()
    // Midnight in Los Angeles; the clocks go back in that night.
    rig.setNow(Date.parse('2026-11-01T07:00:00Z'))
    expect(await isolate.count(of(2_250, 'America/Los_Angeles'), 2)).toBe(1)
    rig.setNow(Date.parse('2026-11-02T07:59:59Z'))
    expect(await isolate.count(of(6_750, 'America/Los_Angeles'), 2)).toBe(1)
    expect(await rig.isolate().admit(of(1, 'America/Los_Angeles'))).toMatchObject({ retryAfterMs: 1_000 })
    rig.pass(1_000)
    expect(await isolate.count(of(2_250, 'America/Los_Angeles'), 2)).toBe(1)
  })

  it('is one call at least, and reached as a whole', async () => {
    rig.setNow(Date.parse('2026-11-22T00:00:00Z'))
    const small = callOf({ rules: [{ key: 'small', limit: 3, windowSeconds: 86_400, dayIn: 'UTC' }] })
    expect(await rig.isolate().count(small, 3)).toBe(1)
    rig.setNow(Date.parse('2026-11-22T23:56:00Z'))
    expect(await rig.isolate().count(small, 3)).toBe(1)
    expect(await rig.operations.allowances()).toMatchObject([{ key: 'small', used: 2, allowed: 2 }])
  })

  it('does not give a day twice to a clock that goes back over midnight', async () => {
    const isolate = rig.isolate({ aheadMs: 3_000 })
    rig.setNow(Date.parse('2026-11-22T23:59:58Z'))
    expect(await rig.isolate().count(of(9_000), 2)).toBe(1)
    expect(await isolate.count(of(2_250), 2)).toBe(1)
    expect(await rig.isolate().count(of(1), 1)).toBe(0)
  })
})

describe('without Redis', () => {
  describeWithEachRedis('a gate', (newRig) => {
    it('admits nothing, and does not fail over how a call went', async () => {
      const rig = newRig()
      const away = rig.isolate({ url: 'http://127.0.0.1:9' })
      expect(await away.admit(callOf())).toMatchObject({
        kind: 'rate_limited',
        retryable: true,
        retryAfterMs: 15_000,
      })
      const budget = { workspaceId: 'w', dailyMicros: 1 }
      await expect(away.gate.moneyLeft('x', budget)).rejects.toMatchObject({ retryAfterMs: 15_000 })
      await expect(
        rig.isolate().count(callOf({ rules: [{ key: 'k', limit: 9, windowSeconds: WINDOW_MS }] }), 1),
      ).resolves.toBe(1)
    })
  })
})
