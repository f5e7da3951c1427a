/** The real hub and the real client, with a network between them that loses, repeats and reorders. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { parseSinceParameter } from '../../src/realtime/protocol.ts'
import { createLiveClient, type LiveSocket } from '../../web/src/live/client.ts'
import { createHubRig, FakeSocket, type HubRig } from './harness.ts'

type Fault = 'deliver' | 'drop' | 'duplicate' | 'delay' | 'cut'

/** A connection through the bad network: each frame suffers the next fault, while there are any. */
class FaultySocket implements LiveSocket {
  readonly #serverSide = new FakeSocket()
  readonly #listeners = new Map<string, ((event: never) => void)[]>()
  readonly #rig: HubRig
  readonly #faults: Fault[]
  #delayed: string[] = []
  #cut = false

  constructor(url: string, rig: HubRig, faults: Fault[]) {
    this.#rig = rig
    this.#faults = faults
    this.#serverSide.onSend = (text) => this.#transmit(text)
    const { searchParams } = new URL(url)
    queueMicrotask(() => {
      rig.connect({
        socket: this.#serverSide,
        since: parseSinceParameter(searchParams.get('since')),
        types: searchParams.get('types') ?? '',
      })
    })
  }

  get readyState(): number {
    return this.#cut ? 3 : this.#serverSide.readyState
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(text: string): void {
    this.#rig.hub.receive(this.#serverSide, text)
  }

  close(): void {
    this.#serverSide.close(1000, '')
  }

  #transmit(text: string): void {
    if (this.#cut) return
    const fault = this.#faults.shift() ?? 'deliver'
    if (fault === 'drop') return
    if (fault === 'delay') {
      this.#delayed.push(text)
      return
    }
    const late = this.#delayed
    this.#delayed = []
    for (const message of [text, ...(fault === 'duplicate' ? [text] : []), ...late]) this.#emit(message)
    if (fault === 'cut') {
      this.#cut = true
      this.#serverSide.readyState = 3
      for (const listener of this.#listeners.get('close') ?? []) listener({ code: 1006 } as never)
    }
  }

  #emit(data: string): void {
    for (const listener of this.#listeners.get('message') ?? []) listener({ data } as never)
  }
}

/** What happens next: an event of a topic, a repeated delivery of the last batch, time, or a hibernation. */
const Step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('metrics.updated', 'job.updated', 'trending.updated') },
  { weight: 1, arbitrary: fc.constantFrom('repeat', 'wait', 'hibernate') },
)
const Faults = fc.array(
  fc.constantFrom<Fault[]>('deliver', 'deliver', 'deliver', 'drop', 'duplicate', 'delay', 'cut'),
  { maxLength: 40 },
)

async function run(steps: string[], faults: Fault[], keptEvents: number, types?: string[]) {
  const rig = createHubRig({ keptEvents })
  /** The sequence numbers heard; a resync is noted as a negative number. */
  const heard: number[] = []
  const client = createLiveClient({
    getTicket: async () => ({ url: 'ws://hub.test/' }),
    onEvent: (event) => heard.push(event.seq),
    onResync: ({ seq }) => heard.push(-seq),
    WebSocketImpl: class extends FaultySocket {
      constructor(url: string) {
        super(url, rig, faults)
      }
    },
    environment: { isOnline: () => true, isHidden: () => false, onChange: () => () => {} },
    random: () => 0.5,
    ...(types === undefined ? {} : { types }),
  })

  const published: { seq: number; type: string }[] = []
  const publish = (type: string) => {
    published.push({ seq: published.length + 1, type })
    rig.hub.publish([{ generation: published.length, events: [{ type, data: null }] }])
  }
  client.start()
  await vi.advanceTimersByTimeAsync(0)
  for (const step of steps) {
    if (step === 'wait') await vi.advanceTimersByTimeAsync(40_000)
    else if (step === 'hibernate') rig.hibernate()
    else if (step === 'repeat') {
      const generation = published.length
      rig.hub.publish([{ generation, events: [{ type: 'metrics.updated', data: 'again' }] }])
    } else publish(step)
  }
  // The network recovers. The last event shows the client that any before it are missing.
  faults.length = 0
  await vi.advanceTimersByTimeAsync(60_000)
  publish('metrics.updated')
  await vi.advanceTimersByTimeAsync(60_000)
  const state = client.state
  client.stop()
  return { heard, published, state }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('delivers every event once and in order, whatever the network does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { maxLength: 40 }), Faults, async (steps, faults) => {
      const { heard, published, state } = await run(steps, faults, 1_000)
      expect(state).toBe('live')
      // Everything from the first hello on: the client cannot know of what came before.
      const first = heard[0] ?? 0
      expect(heard).toEqual(published.map(({ seq }) => seq).filter((seq) => seq >= first))
      expect(heard.at(-1)).toBe(published.length)
    }),
    { numRuns: 300 },
  )
})

it('delivers the types it asked for, once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { maxLength: 40 }), Faults, async (steps, faults) => {
      const { heard, published } = await run(steps, faults, 1_000, ['metrics'])
      const wanted = published.filter(({ type }) => type === 'metrics.updated').map(({ seq }) => seq)
      const first = heard[0] ?? 0
      expect(heard).toEqual(wanted.filter((seq) => seq >= first))
      expect(heard.at(-1)).toBe(published.length)
    }),
    { numRuns: 300 },
  )
})

it('leaves nothing out without a resync where the hub has forgotten what was missed', async () => {
  let resyncs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { minLength: 10, maxLength: 40 }), Faults, async (steps, faults) => {
      const { heard, published } = await run(steps, faults, 3)
      let expected: number | null = null
      for (const seq of heard) {
        if (seq <= 0) resyncs += 1
        // A resync may skip ahead, never back; after it the next number follows.
        else if (expected !== null) expect(seq).toBe(expected)
        if (seq <= 0 && expected !== null) expect(-seq).toBeGreaterThanOrEqual(expected - 1)
        expected = Math.abs(seq) + 1
      }
      expect(Math.abs(heard.at(-1) ?? 0)).toBe(published.length)
    }),
    { numRuns: 300 },
  )
  // The property would hold of a hub that forgets nothing: see that this one did.
  expect(resyncs).toBeGreaterThan(0)
})
