import { beforeEach, expect, it } from 'vitest'
import { callOf, DAY_MS, describeWithEachRedis, type GateRig, OK } from './call-gate.test-helper.ts'

describeWithEachRedis('the operators’ switch', (newRig) => {
  let rig: GateRig
  beforeEach(() => {
    rig = newRig()
  })

  it('stops the calls to a platform at once, and lets the others be made', async () => {
    const isolate = rig.isolate()
    expect(await isolate.count(callOf(), 1)).toBe(1)
    await rig.operations.pause('mastodon')
    const refusal = await isolate.admit(callOf())
    expect(refusal).toMatchObject({ kind: 'paused', isRefusal: true, retryAfterMs: 60_000 })
    expect(refusal).toHaveProperty('message', 'An operator has paused all calls to Mastodon.')
    expect(await isolate.count(callOf({ platform: 'bluesky', server: null }), 1)).toBe(1)
    expect(await rig.operations.paused()).toEqual(['mastodon'])
    expect(await rig.operations.allowances()).toMatchObject([{ used: 2 }])
  })

  it('stops them all, and each platform stays stopped that was stopped by itself', async () => {
    await rig.operations.pause('all')
    await rig.operations.pause('x')
    expect(await rig.operations.paused()).toEqual(['all', 'x'])
    expect(await rig.isolate().admit(callOf())).toHaveProperty(
      'message',
      'An operator has paused all calls to all platforms.',
    )
    await rig.operations.resume('all')
    expect(await rig.isolate().count(callOf(), 1)).toBe(1)
    expect(await rig.isolate().count(callOf({ platform: 'x', server: null }), 1)).toBe(0)
  })

  it('is noticed within five seconds where calls go on', async () => {
    const isolate = rig.isolate()
    await rig.operations.pause('all')
    expect(await isolate.count(callOf(), 1)).toBe(0)
    await rig.operations.resume('all')
    rig.pass(5_000)
    expect(await isolate.count(callOf(), 1)).toBe(1)
    expect(await rig.operations.paused()).toEqual([])
  })
})

describeWithEachRedis('what operators see', (newRig) => {
  let rig: GateRig
  beforeEach(() => {
    rig = newRig()
  })

  it('is nothing where nothing was called', async () => {
    expect(await rig.operations.breakers()).toEqual([])
    expect(await rig.operations.allowances()).toEqual([])
    expect(await rig.operations.paused()).toEqual([])
  })

  it('is what was taken from each allowance in its window', async () => {
    const day = { windowSeconds: 86_400, dayIn: 'America/Los_Angeles', units: 100 } as const
    const rules = [
      { key: 'units', limit: 10_000, ...day },
      { key: 'calls', limit: 30, windowSeconds: 300 },
    ]
    await rig.isolate().make(callOf({ rules }))
    rig.pass(200_000)
    await rig.isolate().make(callOf({ rules }))
    rig.pass(200_000)
    expect(await rig.operations.allowances()).toEqual([
      { key: 'calls', limit: 30, allowed: 27, used: 1, windowSeconds: 300, pausedUntilMs: null },
      { key: 'units', limit: 10_000, allowed: 9_000, used: 200, windowSeconds: 86_400, pausedUntilMs: null },
    ])
    rig.pass(DAY_MS)
    expect((await rig.operations.allowances()).map(({ used }) => used)).toEqual([0, 0])
  })

  it('is what was used in the last week', async () => {
    await rig.isolate().make(callOf(), OK)
    rig.pass(7 * DAY_MS)
    await rig.isolate().make(callOf({ server: 'new.example', rules: [] }), OK)
    rig.pass(1)
    expect((await rig.operations.breakers()).map(({ name }) => name)).toEqual(['mastodon:new.example'])
    expect(await rig.operations.allowances()).toEqual([])
  })

  it('is no more than a thousand names, the latest', async () => {
    const isolate = rig.isolate()
    for (let batch = 0; batch < 11; batch++) {
      rig.pass(1_000)
      const keys = Array.from({ length: 100 }, (_, i) => `key-${batch}-${i}`)
      const rules = keys.map((key) => ({ key, limit: 30, windowSeconds: 300 }))
      expect(await isolate.count(callOf({ rules }), 1)).toBe(1)
    }
    const listed = (await rig.operations.allowances()).map(({ key }) => key)
    expect(listed).toHaveLength(1_000)
    expect(listed.some((key) => key.startsWith('key-0-'))).toBe(false)
  })
})
