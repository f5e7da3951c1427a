import type { RegisteredSchedule } from '../ports.ts'

/** What the queue calls, and when: the Worker has no timer of its own. */
export interface ScheduleDefinition {
  id: string
  /** Five fields, in UTC. */
  cron: string
  /** Below the address that takes callbacks. */
  path: `/callbacks/${string}`
  retries: number
}

/** A call that fails every minute anyway comes again sooner than its retry would. */
export const SCHEDULES: readonly ScheduleDefinition[] = [
  { id: 'tidemark-sync-plan', cron: '* * * * *', path: '/callbacks/sync/plan', retries: 0 },
  { id: 'tidemark-trending', cron: '*/5 * * * *', path: '/callbacks/trending/plan', retries: 0 },
  { id: 'tidemark-outbox', cron: '* * * * *', path: '/callbacks/outbox/sweep', retries: 0 },
  { id: 'tidemark-reconciliation', cron: '41 2 * * *', path: '/callbacks/reconcile/plan', retries: 3 },
  { id: 'tidemark-credentials', cron: '7 * * * *', path: '/callbacks/credentials/refresh', retries: 1 },
  { id: 'tidemark-upkeep', cron: '17 3 * * *', path: '/callbacks/upkeep/daily', retries: 3 },
]

export const SCHEDULE_STATES = ['missing', 'elsewhere', 'different', 'paused', 'ok'] as const
export type ScheduleState = (typeof SCHEDULE_STATES)[number]

export interface ScheduleReport {
  id: string
  state: ScheduleState
  /** Where the queue sends it now; `null` where it is missing. */
  destination: string | null
}

/** The full address that a schedule calls. */
export function scheduleDestination(callbacksUrl: string, { path }: ScheduleDefinition): string {
  return new URL(path, callbacksUrl).href
}

/** How the schedules that the queue has compare with those that should be there. */
export function compareSchedules(
  existing: readonly RegisteredSchedule[],
  callbacksUrl: string,
): ScheduleReport[] {
  const byId = new Map(existing.map((schedule) => [schedule.scheduleId, schedule]))
  return SCHEDULES.map((definition) => {
    const found = byId.get(definition.id)
    if (!found) return { id: definition.id, state: 'missing', destination: null }
    return {
      id: definition.id,
      state: stateOf(found, definition, callbacksUrl),
      destination: found.destination,
    }
  })
}

function stateOf(
  found: RegisteredSchedule,
  definition: ScheduleDefinition,
  callbacksUrl: string,
): ScheduleState {
  if (found.destination !== scheduleDestination(callbacksUrl, definition)) return 'elsewhere'
  // A server may leave out what has its usual value.
  const same =
    found.cron === definition.cron &&
    (found.method ?? 'POST') === 'POST' &&
    (found.retries ?? 0) === definition.retries
  if (!same) return 'different'
  return found.isPaused ? 'paused' : 'ok'
}
