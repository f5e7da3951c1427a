import { beforeEach, expect, it } from 'vitest'
import type { GatedCall, PaidRead } from '../ports.ts'
import {
  callOf,
  createRig,
  DAY_MS,
  describeWithEachRedis,
  type GateRig,
  type Isolate,
  isRefusal,
  OK,
  startEmbedded,
} from './call-gate.test-helper.ts'

const DOLLAR = 1_000_000
const MIDNIGHT = Date.parse('2026-11-22T00:00:00Z')
const STEP_MS = 300_000

const readsOf = (...ids: number[]): PaidRead[] =>
  ids.map((id) => ({ object: `post:${id}`, costMicros: 5_000 }))

/** A call that may cost so much. */
function paidCall(mostCostMicros: number, workspaceId = 'acme', dailyMicros = DOLLAR): GatedCall {
  return callOf({
    platform: 'x',
    server: null,
    rules: [{ key: 'x.posts', limit: 3_500, windowSeconds: 900 }],
    mostCostMicros,
    payer: { workspaceId, dailyMicros },
  })
}

describeWithEachRedis('the money for paid reads', (newRig) => {
  let rig: GateRig
  let one: Isolate
  beforeEach(() => {
    rig = newRig()
    rig.setNow(MIDNIGHT)
    one = rig.isolate()
  })
  const left = (workspaceId = 'acme', dailyMicros = DOLLAR) =>
    rig.isolate().gate.moneyLeft('x', { workspaceId, dailyMicros })

  it('is reserved before the call, and replaced by what the call cost', async () => {
    const admitted = await one.admit(paidCall(100_000))
    if (isRefusal(admitted)) throw admitted
    expect(await left()).toMatchObject({ spentMicros: 100_000, leftMicros: 150_000 })
    admitted.settle({ ...OK, paid: readsOf(1, 2, 3) })
    await one.booked()
    expect(await left()).toMatchObject({ spentMicros: 15_000, leftMicros: 235_000 })
    expect(one.settled).toMatchObject([{ costMicros: 15_000 }])
  })

  it('stays spent where nobody ever said how the call went', async () => {
    await one.count(paidCall(100_000), 1)
    rig.pass(DAY_MS - 1)
    expect(await left()).toMatchObject({ spentMicros: 100_000, leftMicros: 900_000 })
    rig.pass(1)
    expect(await left()).toMatchObject({ spentMicros: 0 })
  })

  it('is charged once a day for the same object, to the workspace that read it first', async () => {
    await one.make(paidCall(50_000), { ...OK, paid: readsOf(1, 2, 2) })
    await rig.isolate().make(paidCall(50_000, 'beta'), { ...OK, paid: readsOf(2, 3) })
    await one.make(paidCall(50_000), { ...OK, paid: readsOf(1, 2, 3) })
    expect([(await left()).spentMicros, (await left('beta')).spentMicros]).toEqual([10_000, 5_000])
    expect(one.settled.map(({ costMicros }) => costMicros)).toEqual([10_000, 0])
    rig.pass(DAY_MS)
    await one.make(paidCall(50_000), { ...OK, paid: readsOf(1, 2, 3) })
    expect(await left()).toMatchObject({ spentMicros: 15_000 })
  })

  it('is charged to the day on which the call was admitted', async () => {
    rig.pass(DAY_MS - 1)
    const admitted = await one.admit(paidCall(50_000))
    if (isRefusal(admitted)) throw admitted
    rig.pass(1_000)
    admitted.settle({ ...OK, paid: readsOf(1) })
    await one.booked()
    expect(await left()).toMatchObject({ spentMicros: 0 })
    rig.pass(-1_000)
    expect(await left()).toMatchObject({ spentMicros: 5_000 })
  })

  it('is charged in full where a call cost more than was thought', async () => {
    await one.make(paidCall(5_000), { ...OK, paid: readsOf(1, 2, 3) })
    expect(await left()).toMatchObject({ spentMicros: 15_000 })
  })

  it('is given a quarter at midnight and the rest over the day, and never more than the whole', async () => {
    expect(await one.count(paidCall(50_000), 8)).toBe(5)
    const refusal = await one.admit(paidCall(50_000))
    // 50,000 of the 750,000 that follow, in steps of five minutes: 19.1 steps.
    expect(refusal).toMatchObject({ kind: 'budget_spent', isRefusal: true, retryAfterMs: 20 * STEP_MS })
    expect(refusal).toHaveProperty('message', 'The budget for paid reads of X is used up for the moment.')
    rig.pass(20 * STEP_MS - 1)
    expect(await one.count(paidCall(50_000), 1)).toBe(0)
    rig.pass(1)
    expect(await one.count(paidCall(50_000), 2)).toBe(1)
    rig.setNow(MIDNIGHT + DAY_MS - 1)
    expect(await one.count(paidCall(50_000), 30)).toBe(14)
    expect(await rig.isolate().admit(paidCall(1))).toMatchObject({ retryAfterMs: 1_000 })
  })

  it('says what may be spent until when, to the millionth', async () => {
    rig.setNow(MIDNIGHT + 12 * 3_600_000 + 1_234)
    for (const dailyMicros of [DOLLAR, 777_777, 40]) {
      const workspaceId = `w${dailyMicros}`
      for (let round = 0; round < 3; round++) {
        const { leftMicros, moreAtMs } = await left(workspaceId, dailyMicros)
        expect(await one.count(paidCall(leftMicros + 1, workspaceId, dailyMicros), 1)).toBe(0)
        if (leftMicros > 0) expect(await one.count(paidCall(leftMicros, workspaceId, dailyMicros), 1)).toBe(1)
        expect(await left(workspaceId, dailyMicros)).toMatchObject({ leftMicros: 0 })
        rig.setNow(moreAtMs - 1)
        expect(await left(workspaceId, dailyMicros)).toMatchObject({ leftMicros: 0 })
        rig.setNow(moreAtMs)
        expect((await left(workspaceId, dailyMicros)).leftMicros).toBeGreaterThan(0)
      }
    }
  })

  it('is no more when fifty ask at once, of two workspaces each with its own', async () => {
    const isolates = [rig.isolate(), rig.isolate()]
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        isolates[i % 2]?.admit(paidCall(30_000, i < 25 ? 'acme' : 'beta')),
      ),
    )
    expect(answers.filter((answer) => answer && !isRefusal(answer))).toHaveLength(16)
    expect([(await left()).spentMicros, (await left('beta')).spentMicros]).toEqual([240_000, 240_000])
  })

  it('is taken together with the allowance, or neither is', async () => {
    expect(await one.count(paidCall(250_000), 3)).toBe(1)
    expect(await rig.operations.allowances()).toMatchObject([{ key: 'x.posts', used: 1 }])
    const few = { ...paidCall(5_000, 'beta'), rules: [{ key: 'few', limit: 2, windowSeconds: 900 }] }
    expect(await one.count(few, 3)).toBe(1)
    expect(await left('beta')).toMatchObject({ spentMicros: 5_000 })
  })

  it('waits until the next day, and says why, where a call may cost more than a day has', async () => {
    const refusal = await one.admit(paidCall(1_500_000))
    expect(refusal).toMatchObject({ kind: 'budget_spent', retryAfterMs: DAY_MS })
    expect(refusal).toHaveProperty(
      'message',
      'A call to X may cost $1.50, and the budget for a day is $1.00.',
    )
    expect(await one.admit(paidCall(5_000, 'poor', 0))).toMatchObject({ kind: 'budget_spent' })
    expect(await left('poor', 0)).toEqual({
      spentMicros: 0,
      leftMicros: 0,
      moreAtMs: MIDNIGHT + DAY_MS,
    })
  })

  it('is not asked for where nothing is to pay', async () => {
    expect(await one.count(paidCall(0, 'poor', 0), 2)).toBe(2)
  })
})

it('a cost that could not be booked is told as what was read, each object once', async () => {
  const redis = await startEmbedded()
  try {
    const isolate = createRig(redis.url).isolate()
    const admitted = await isolate.admit(paidCall(50_000))
    if (isRefusal(admitted)) throw admitted
    await redis.stop()
    admitted.settle({ ...OK, paid: readsOf(1, 2, 2) })
    await isolate.booked()
    expect(isolate.settled).toMatchObject([{ costMicros: 10_000 }])
  } finally {
    await redis.stop()
  }
})
