import { expect, it } from 'vitest'
import type { HubState } from './event-log.ts'
import { LIVE_LIMITS, type SequencedEvent } from './protocol.ts'
import type { Delivery } from './shard.ts'
import { ShardLink } from './shard-link.ts'

const stateAt = (seq: number): HubState => ({ seq, generation: seq, topics: new Map() })

function delivery(from: number, to: number, length = 2): Delivery {
  const events = Array.from(
    { length: to - from + 1 },
    (_, i): SequencedEvent => ({
      ...{ seq: from + i, topic: 'job', type: 'job.updated', generation: from + i },
      ...{ at: '2026-11-01T10:00:00.000Z', data: 'x'.repeat(length) },
    }),
  )
  return { events, before: stateAt(from - 1), after: stateAt(to) }
}

/** A link whose calls end when they are told to. */
function start() {
  const calls: { told: string; end: PromiseWithResolvers<null> }[] = []
  const link = new ShardLink({
    send({ events, before, after }) {
      const end = Promise.withResolvers<null>()
      calls.push({ told: `${before.seq} +${events.length} = ${after.seq}`, end })
      return end.promise
    },
    onCensus: () => {},
    onLost: () => {},
    sleep: async () => {},
  })
  return {
    push: (one: Delivery) => void link.push(one),
    /** Lets the call under way end. */
    async answer(error?: Error) {
      const end = calls.at(-1)?.end
      if (error === undefined) end?.resolve(null)
      else end?.reject(error)
      await new Promise((resolve) => setImmediate(resolve))
    },
    told: () => calls.map((call) => call.told),
  }
}

it('sends what comes during a call with the next one', async () => {
  const link = start()
  for (let seq = 1; seq <= 4; seq += 1) link.push(delivery(seq, seq))
  await link.answer()
  await link.answer()
  expect(link.told()).toEqual(['0 +1 = 1', '1 +3 = 4'])
})

it('holds a few events for a slow shard, and then only says where the hub stands', async () => {
  const link = start()
  link.push(delivery(1, 1))
  for (let seq = 2; seq <= 201; seq += 1) link.push(delivery(seq, seq))
  await link.answer()
  expect(link.told().at(-1)).toBe('1 +200 = 201')
  for (let seq = 202; seq <= 402; seq += 1) link.push(delivery(seq, seq))
  await link.answer()
  expect(link.told().at(-1)).toBe('402 +0 = 402')
  link.push(delivery(403, 403))
  await link.answer()
  expect(link.told().at(-1)).toBe('402 +1 = 403')
})

it('holds no more characters for a slow shard than half of what one remembers', async () => {
  const link = start()
  const quarter = LIVE_LIMITS.rememberedLength / 8
  link.push(delivery(1, 1))
  for (let seq = 2; seq <= 5; seq += 1) link.push(delivery(seq, seq, quarter))
  await link.answer()
  expect(link.told().at(-1)).toBe('1 +4 = 5')
  for (let seq = 6; seq <= 9; seq += 1) link.push(delivery(seq, seq, quarter))
  link.push(delivery(10, 10))
  await link.answer()
  expect(link.told().at(-1)).toBe('10 +0 = 10')
  // Also of what comes at once.
  link.push(delivery(11, 15, quarter))
  await link.answer()
  expect(link.told().at(-1)).toBe('15 +0 = 15')
})

it('joins nothing to a call that failed but what follows it', async () => {
  const link = start()
  link.push(delivery(1, 5))
  link.push(delivery(6, 6))
  await link.answer(new Error('lost'))
  expect(link.told().at(-1)).toBe('0 +6 = 6')
  // What comes now is more than is held, so that only the end of it is known.
  link.push(delivery(7, 10))
  link.push(delivery(11, 300))
  link.push(delivery(301, 302))
  await link.answer(new Error('lost'))
  expect(link.told().at(-1)).toBe('302 +0 = 302')
})
