import type { CallGate, Clock, GatedCall, PaidRead } from '../../../src/ports.ts'

const DAY_MS = 86_400_000
/** The other half is for lists of posts. */
const SHARE_OF_A_PAST_DAY = 1 / 2
/** The running engine reads today as well, and may have a quarter of the day's money from its first minute on. */
const SHARE_OF_TODAY = 1 / 8
/** The running engine takes up what the history did not read. */
const TAKEN_UP_AFTER_MS = 60_000
/** Reads that are handed over together. */
const READS_AT_ONCE = 200

/** What stands before the calls of a history. */
export interface PastGate extends CallGate {
  /**
   * Hands what the present day has cost over to the gate of the running engine, so that the day's money is one
   * and nothing is paid for twice in it. Done again, it adds nothing.
   */
  handOver(gate: CallGate): Promise<void>
}

interface Paid {
  call: GatedCall
  read: PaidRead
}

/** Lets every call pass, and knows what each day has cost: each thing is paid for once in it. */
export function createPastGate(clock: Clock, presentMs: number): PastGate {
  const days = new Map<number, Map<string, Paid>>()
  const dayAt = (ms: number) => Math.floor(ms / DAY_MS)
  const paidOn = (day: number): Map<string, Paid> => {
    const paid = days.get(day) ?? new Map<string, Paid>()
    days.set(day, paid)
    return paid
  }
  return {
    admit: async (call, onSettled) => ({
      settle(outcome) {
        const paid = paidOn(dayAt(clock.now()))
        let costMicros = 0
        for (const read of outcome.paid) {
          const key = `${call.platform} ${read.object}`
          if (paid.has(key)) continue
          paid.set(key, { call, read })
          costMicros += read.costMicros
        }
        onSettled?.({ call, costMicros })
      },
    }),

    moneyLeft: async (_platform, { dailyMicros }) => {
      const day = dayAt(clock.now())
      const isToday = day === dayAt(presentMs)
      const spentMicros = [...paidOn(day).values()].reduce((sum, { read }) => sum + read.costMicros, 0)
      const share = isToday ? SHARE_OF_TODAY : SHARE_OF_A_PAST_DAY
      const leftMicros = Math.max(0, Math.floor(dailyMicros * share) - spentMicros)
      const moreAtMs = isToday ? presentMs + TAKEN_UP_AFTER_MS : (day + 1) * DAY_MS
      return { spentMicros, leftMicros, moreAtMs }
    },

    async handOver(gate) {
      const paid = [...paidOn(dayAt(presentMs)).values()]
      for (let start = 0; start < paid.length; start += READS_AT_ONCE) {
        const some = paid.slice(start, start + READS_AT_ONCE)
        const [first] = some
        if (first === undefined) return
        // It asks for nothing any more, so that no limit of the present stands against it.
        const admitted = await gate.admit({ ...first.call, rules: [], mostCostMicros: 0 })
        admitted.settle({
          ...{ health: 'ok', status: 200, signal: null, retryAfterMs: null, body: undefined },
          paid: some.map(({ read }) => read),
        })
      }
    },
  }
}
