import { compareSchedules, SCHEDULES, scheduleDestination } from '../../domain/schedules.ts'
import type { Schedules } from '../../ports.ts'
import type { ServiceContext } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type { ScheduleState } from './schemas.ts'

/**
 * Every schedule that has to be there, beside what the queue has.
 * @param callbacksUrl what they have to call
 */
export async function listSchedules(
  ctx: ServiceContext,
  schedules: Schedules,
  callbacksUrl: string,
): Promise<ScheduleState[]> {
  requireOperator(ctx.actor)
  const existing = await schedules.list()
  const states = new Map(compareSchedules(existing, callbacksUrl).map(({ id, state }) => [id, state]))
  const registered = new Map(
    existing.map(({ scheduleId, cron, destination }) => [scheduleId, { cron, destination }]),
  )
  return SCHEDULES.map((definition) => ({
    id: definition.id,
    state: states.get(definition.id) ?? 'missing',
    expected: { cron: definition.cron, destination: scheduleDestination(callbacksUrl, definition) },
    registered: registered.get(definition.id) ?? null,
  }))
}
