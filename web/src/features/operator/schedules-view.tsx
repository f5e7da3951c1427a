import type { ScheduleState } from '../../../../src/http/wire.ts'

const STATES: Readonly<Record<ScheduleState['state'], { label: string; tone: string }>> = {
  ok: { label: 'Set', tone: 'good' },
  paused: { label: 'Paused', tone: 'warning' },
  different: { label: 'Different', tone: 'warning' },
  elsewhere: { label: 'Goes elsewhere', tone: 'bad' },
  missing: { label: 'Missing', tone: 'bad' },
}

/** Schedules as they have to be, beside what the queue has. */
export function SchedulesView({ schedules }: { schedules: readonly ScheduleState[] }) {
  return (
    <ul class="report-list">
      {schedules.map(({ id, state, expected, registered }) => {
        const { label, tone } = STATES[state]
        const differs =
          registered !== null &&
          (registered.cron !== expected.cron || registered.destination !== expected.destination)
        return (
          <li key={id}>
            <span class="report-name">{id}</span>
            <span class={`status status-${tone}`}>{label}</span>
            <span class="quiet small report-detail">
              <code>{expected.cron}</code>
              {differs && (
                <>
                  {' '}
                  but is <code>{registered.cron}</code> to {registered.destination}
                </>
              )}
            </span>
          </li>
        )
      })}
    </ul>
  )
}
