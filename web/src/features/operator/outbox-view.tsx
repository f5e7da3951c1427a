import type { OutboxState } from '../../../../src/http/wire.ts'
import { formatDuration } from '../../format/dates.ts'
import { plural } from '../../format/numbers.ts'

const LEVELS: Readonly<Record<OutboxState['level'], { label: string; tone: string }>> = {
  ok: { label: 'As it should be', tone: 'good' },
  warning: { label: 'Late', tone: 'warning' },
  critical: { label: 'Stuck', tone: 'bad' },
}

/** Events that open pages have not been told of. */
export function OutboxView({ outbox }: { outbox: OutboxState }) {
  const { label, tone } = LEVELS[outbox.level]
  return (
    <p class="report-line">
      <span class={`status status-${tone}`}>{label}</span>
      <span class="quiet">
        {outbox.undelivered === 0
          ? 'Every live event has been delivered.'
          : `${plural(outbox.undelivered, 'event')} waiting${
              outbox.oldestSeconds === null ? '' : `, the oldest for ${formatDuration(outbox.oldestSeconds)}`
            }.`}
      </span>
    </p>
  )
}
