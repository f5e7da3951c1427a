import { describe, expect, it } from 'vitest'
import { type EventLog, type LogLimits, MemoryLog, RememberedLog } from './event-log.ts'
import type { SequencedEvent } from './protocol.ts'

const event = (seq: number, data = '{}'): SequencedEvent => ({
  ...{ seq, data, generation: seq },
  topic: seq % 2 === 0 ? 'job' : 'metrics',
  type: seq % 2 === 0 ? 'job.updated' : 'metrics.updated',
  at: '2026-11-01T10:00:00.000Z',
})
/** One whose data has so many characters. */
const large = (seq: number, length: number) => event(seq, 'x'.repeat(length))
const limits = (keptEvents: number, rememberedLength = 1_000): LogLimits => ({ keptEvents, rememberedLength })
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => event(from + i))
const seqs = (events: SequencedEvent[]) => events.map(({ seq }) => seq)

/** A log that counts how often it is read as a whole. */
function keptLog(
  events: SequencedEvent[],
  most: number,
): { kept: EventLog; log: MemoryLog; reads: () => number } {
  const log = new MemoryLog(events, limits(most, 10_000))
  let reads = 0
  const kept: EventLog = {
    oldestSeq: () => log.oldestSeq(),
    eventsAfter(seq, topics) {
      reads += 1
      return log.eventsAfter(seq, topics)
    },
    latest(length) {
      reads += 1
      return log.latest(length)
    },
    lastSeqUpTo: (seq, topics) => log.lastSeqUpTo(seq, topics),
    countAfter: (seq, topics) => log.countAfter(seq, topics),
  }
  return { kept, log, reads: () => reads }
}

describe('a log in memory', () => {
  it('holds no more than the last ones', () => {
    const log = new MemoryLog(range(1, 3), limits(4))
    log.append(range(4, 6))
    expect(seqs(log.eventsAfter(0, null))).toEqual([3, 4, 5, 6])
    expect(log.oldestSeq()).toBe(3)
    log.append(range(7, 12))
    expect(seqs(log.eventsAfter(0, null))).toEqual([9, 10, 11, 12])
    expect(log.isCut).toBe(false)
  })

  it('holds no more characters than it may, however many events there are', () => {
    const log = new MemoryLog([large(1, 400), large(2, 300), large(3, 400)], limits(100))
    expect(seqs(log.eventsAfter(0, null))).toEqual([2, 3])
    log.append([large(4, 300)])
    expect(seqs(log.eventsAfter(0, null))).toEqual([2, 3, 4])
    log.append([large(5, 301)])
    expect(seqs(log.eventsAfter(0, null))).toEqual([4, 5])
    expect(log.oldestSeq()).toBe(4)
    log.append([large(6, 1_001)])
    expect(seqs(log.eventsAfter(0, null))).toEqual([])
    expect(log.isCut).toBe(true)
    log.append([large(7, 1)])
    expect(seqs(log.eventsAfter(0, null))).toEqual([7])
  })

  it('tells the last ones up to a length', () => {
    const log = new MemoryLog([large(1, 100), large(2, 200), large(3, 300)], limits(100))
    expect([600, 599, 500, 300, 299].map((length) => seqs(log.latest(length)))).toEqual([
      [1, 2, 3],
      [2, 3],
      [2, 3],
      [3],
      [],
    ])
  })
})

describe('a log that is remembered', () => {
  it('is read once, and says the same as what it remembers', () => {
    const { kept, log, reads } = keptLog(range(1, 5), 8)
    const remembered = new RememberedLog(kept, limits(8))
    expect(seqs(remembered.eventsAfter(3, null))).toEqual([4, 5])
    for (let seq = 6; seq <= 20; seq += 1) {
      log.append([event(seq)])
      remembered.append([event(seq)])
    }
    const metrics = new Set(['metrics'])
    for (const topics of [null, metrics]) {
      for (const seq of [0, 12, 15, 20]) {
        expect(remembered.eventsAfter(seq, topics)).toEqual(log.eventsAfter(seq, topics))
        expect(remembered.countAfter(seq, topics)).toBe(log.countAfter(seq, topics))
        expect(remembered.lastSeqUpTo(seq, topics)).toBe(log.lastSeqUpTo(seq, topics))
      }
    }
    expect(remembered.oldestSeq()).toBe(log.oldestSeq())
    expect(reads()).toBe(1)
  })

  it('is not remembered where there is too much of it, and missing nothing all the same', () => {
    const { kept, log, reads } = keptLog(range(1, 5), 8)
    const remembered = new RememberedLog(kept, limits(8))
    remembered.eventsAfter(0, null)
    expect(reads()).toBe(1)
    for (let seq = 6; seq <= 13; seq += 1) {
      log.append([large(seq, 200)])
      remembered.append([large(seq, 200)])
    }
    expect(seqs(remembered.eventsAfter(10, null))).toEqual([11, 12, 13])
    expect(seqs(remembered.eventsAfter(12, null))).toEqual([13])
    expect(reads()).toBe(3)
  })

  it('is not remembered where it was too large when it was first read', () => {
    const { kept, reads } = keptLog([large(1, 600), large(2, 600)], 8)
    const remembered = new RememberedLog(kept, limits(8))
    expect(seqs(remembered.eventsAfter(0, null))).toEqual([1, 2])
    expect(seqs(remembered.latest(1_000))).toEqual([2])
    expect(reads()).toBe(3)
  })
})
