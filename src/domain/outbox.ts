/** How many events wait to be told, and for how long. */
export interface OutboxBacklog {
  undelivered: number
  /** `null` where everything is delivered. */
  oldestSeconds: number | null
}

export const OUTBOX_LEVELS = ['ok', 'warning', 'critical'] as const
type OutboxLevel = (typeof OUTBOX_LEVELS)[number]

/** Reached by either: how long the oldest has waited, or how many wait. */
interface Threshold {
  oldestSeconds: number
  undelivered: number
}

/**
 * A change is told within a second, and what was left behind by the next sweep, which comes every minute: what is older
 * has outlived one. Hundreds at once are more than the changes of a busy minute.
 */
const WARNING: Threshold = { oldestSeconds: 60, undelivered: 500 }

/**
 * Five sweeps in a row have failed, or there is more than five sweeps deliver: somebody looks at old numbers, and it does
 * not mend itself.
 */
const CRITICAL: Threshold = { oldestSeconds: 300, undelivered: 5_000 }

/** How an outbox is that holds so much. */
export function outboxLevel(state: OutboxBacklog): OutboxLevel {
  if (reaches(state, CRITICAL)) return 'critical'
  return reaches(state, WARNING) ? 'warning' : 'ok'
}

function reaches({ undelivered, oldestSeconds }: OutboxBacklog, threshold: Threshold): boolean {
  return undelivered >= threshold.undelivered || (oldestSeconds ?? 0) >= threshold.oldestSeconds
}
