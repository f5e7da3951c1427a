import { beforeEach, expect, it } from 'vitest'
import type { AdmittedCall, CallOutcome } from '../ports.ts'
import {
  callOf,
  describeWithEachRedis,
  FAILED,
  type GateRig,
  type Isolate,
  isRefusal,
  OK,
} from './call-gate.test-helper.ts'

const CALL = callOf({ rules: [] })
const NAME = 'mastodon:social.example'

describeWithEachRedis('the circuit breaker of a server', (newRig) => {
  let rig: GateRig
  let one: Isolate
  let two: Isolate
  beforeEach(() => {
    rig = newRig()
    one = rig.isolate()
    two = rig.isolate()
  })

  async function makeAll(outcomes: CallOutcome[]): Promise<void> {
    for (const [i, outcome] of outcomes.entries()) await (i % 2 ? one : two).make(CALL, outcome)
  }
  async function open(): Promise<void> {
    await makeAll(Array<CallOutcome>(5).fill(FAILED))
  }
  async function admitted(isolate: Isolate): Promise<AdmittedCall> {
    const answer = await isolate.admit(CALL)
    if (isRefusal(answer)) throw answer
    return answer
  }
  const state = async () => (await rig.operations.breakers()).find(({ name }) => name === NAME)

  it('opens for everybody after five failures in a row, and is closed before', async () => {
    await makeAll([FAILED, FAILED, FAILED, FAILED, OK, FAILED, FAILED, FAILED, FAILED])
    expect(await state()).toMatchObject({ state: 'closed', openedAtMs: null })
    await one.make(CALL, { ...FAILED, health: 'timeout' })
    expect(await state()).toMatchObject({ state: 'open', openedAtMs: rig.now() })
    for (const isolate of [one, two]) {
      const refusal = await isolate.admit(CALL)
      expect(refusal).toMatchObject({ kind: 'resting', retryable: true, retryAfterMs: 30_000 })
      expect(refusal).toHaveProperty(
        'message',
        'The server social.example has been failing, so it is not called for the moment.',
      )
    }
  })

  it('opens when half of the last twenty have failed', async () => {
    await makeAll(Array.from({ length: 19 }, (_, i) => (i % 2 ? FAILED : OK)))
    expect(await state()).toMatchObject({ state: 'closed' })
    await one.make(CALL, FAILED)
    expect(await state()).toMatchObject({ state: 'open', failures: 10, successes: 10 })
  })

  it('opens at once for as long as a server that is out of order asks for', async () => {
    await one.make(CALL, { ...FAILED, status: 503, retryAfterMs: 600_000 })
    for (const isolate of [one, two])
      expect(await isolate.admit(CALL)).toMatchObject({ kind: 'resting', retryAfterMs: 600_000 })
    rig.pass(599_999)
    expect(await rig.isolate().admit(CALL)).toMatchObject({ kind: 'resting' })
    rig.pass(1)
    expect(await state()).toMatchObject({ state: 'half-open' })
    await two.make(CALL, { ...FAILED, status: 503, retryAfterMs: 120_000 })
    expect(await one.admit(CALL)).toMatchObject({ kind: 'resting', retryAfterMs: 120_000 })
    // It never stays open for less than the half minute.
    rig.pass(120_000)
    await two.make(CALL, { ...FAILED, status: 503, retryAfterMs: 1_000 })
    expect(await one.admit(CALL)).toMatchObject({ kind: 'resting', retryAfterMs: 30_000 })
  })

  it('stays closed while fewer fail, and forgets what is more than twenty calls ago', async () => {
    await makeAll(Array.from({ length: 30 }, (_, i) => (i % 3 ? OK : FAILED)))
    expect(await state()).toMatchObject({ state: 'closed', failures: 10, successes: 20 })
    await makeAll([...Array<CallOutcome>(12).fill(OK), ...Array<CallOutcome>(4).fill(FAILED), OK])
    // Four of the last nine that are left of the thirty, and of these: not half.
    expect(await state()).toMatchObject({ state: 'closed' })
  })

  it('takes a platform that asks to wait for one that is in order', async () => {
    await makeAll(Array<CallOutcome>(6).fill({ ...OK, status: 429, retryAfterMs: 1_000 }))
    expect(await state()).toMatchObject({ state: 'closed', successes: 6 })
  })

  it('lets one call through after half a minute, and closes when that goes well', async () => {
    await open()
    rig.pass(29_999)
    expect(await rig.isolate().admit(CALL)).toMatchObject({ kind: 'resting', retryAfterMs: 1_000 })
    rig.pass(1)
    expect(await state()).toMatchObject({ state: 'half-open' })
    const isolates = Array.from({ length: 5 }, () => rig.isolate())
    const answers = await Promise.all(isolates.map((isolate) => isolate.admit(CALL)))
    const probes = answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer]))
    expect(probes).toHaveLength(1)
    expect(answers.filter(isRefusal).map(({ retryAfterMs }) => retryAfterMs)).toEqual(Array(4).fill(2_000))
    probes[0]?.settle(OK)
    for (const isolate of isolates) await isolate.booked()
    expect(await state()).toMatchObject({ state: 'closed', openedAtMs: null, rejects: 5 })
    // It counts anew: four more failures do not open it.
    await makeAll(Array<CallOutcome>(4).fill(FAILED))
    expect(await state()).toMatchObject({ state: 'closed' })
  })

  it('stays open for another half minute when that call fails', async () => {
    await open()
    rig.pass(30_000)
    await one.make(CALL, FAILED)
    expect(await state()).toMatchObject({ state: 'open', openedAtMs: rig.now() })
    expect(await two.admit(CALL)).toMatchObject({ kind: 'resting', retryAfterMs: 30_000 })
    rig.pass(30_000)
    await two.make(CALL, OK)
    expect(await state()).toMatchObject({ state: 'closed' })
  })

  it('gives up a call of which nothing is heard for twenty seconds, whatever it says later', async () => {
    await open()
    rig.pass(30_000)
    const lost = await admitted(one)
    rig.pass(19_000)
    expect(await two.admit(CALL)).toMatchObject({ kind: 'resting', retryAfterMs: 1_000 })
    rig.pass(1_000)
    const probe = await admitted(two)
    lost.settle(FAILED)
    await one.booked()
    expect(await state()).toMatchObject({ state: 'half-open' })
    probe.settle(OK)
    await two.booked()
    expect(await state()).toMatchObject({ state: 'closed' })
  })

  it('does not listen to calls that were under way when it opened', async () => {
    const [early, late] = [await admitted(one), await admitted(one)]
    await open()
    const openedAtMs = rig.now()
    rig.pass(5_000)
    early.settle(OK)
    late.settle(FAILED)
    await one.booked()
    expect(await state()).toMatchObject({ state: 'open', openedAtMs })
  })

  it('takes no call from an allowance while it is open, nor a probe while the allowance is used up', async () => {
    const call = callOf({ rules: [{ key: 'few', limit: 7, windowSeconds: 300 }] })
    for (let i = 0; i < 5; i++) await one.make(call, FAILED)
    expect(await two.admit(call)).toMatchObject({ kind: 'resting' })
    expect(await rig.operations.allowances()).toMatchObject([{ key: 'few', used: 5 }])
    rig.pass(30_000)
    await one.make(call, FAILED)
    rig.pass(30_000)
    expect(await two.admit(call)).toMatchObject({ kind: 'rate_limited' })
    await rig.isolate().make(CALL, OK)
    expect(await state()).toMatchObject({ state: 'closed' })
  })

  it('is its own: other servers and platforms are called as before', async () => {
    await open()
    expect(await one.count({ ...CALL, server: 'other.example' }, 1)).toBe(1)
    await one.make({ ...CALL, platform: 'youtube', server: null }, FAILED)
    expect((await rig.operations.breakers()).map(({ name, state }) => [name, state])).toEqual([
      [NAME, 'open'],
      ['youtube', 'closed'],
    ])
  })

  it('counts what came of calls, those it turned away without asking anybody included', async () => {
    await makeAll([OK, OK, { ...FAILED, health: 'timeout' }, ...Array<CallOutcome>(4).fill(FAILED)])
    expect(await two.count(CALL, 4)).toBe(0)
    expect(await state()).toMatchObject({ rejects: 1 })
    rig.pass(30_000)
    await two.make(CALL, OK)
    expect(await state()).toEqual({
      name: NAME,
      state: 'closed',
      successes: 3,
      failures: 4,
      timeouts: 1,
      rejects: 4,
      openedAtMs: null,
    })
  })

  it('books a call once, however often it is settled', async () => {
    const call = await admitted(one)
    call.settle(OK)
    call.settle(FAILED)
    await one.booked()
    expect(await state()).toMatchObject({ successes: 1, failures: 0 })
    expect(one.settled).toEqual([{ call: CALL, costMicros: 0 }])
  })
})
