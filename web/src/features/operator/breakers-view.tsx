import type { CircuitBreaker } from '../../../../src/http/wire.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount, formatRate, plural } from '../../format/numbers.ts'
import { useNow } from '../../state/now.ts'
import { useTimezone } from '../../state/session.tsx'

const STATES: Readonly<Record<CircuitBreaker['state'], { label: string; tone: string }>> = {
  closed: { label: 'Called', tone: 'good' },
  open: { label: 'Left alone', tone: 'bad' },
  'half-open': { label: 'Tried again', tone: 'warning' },
}

function Breaker({ breaker }: { breaker: CircuitBreaker }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { name, state, successes, failures, timeouts, rejects, successRate, openedAt } = breaker
  const { label, tone } = STATES[state]
  return (
    <li>
      <code class="report-name">{name}</code>
      <span class={`status status-${tone}`}>{label}</span>
      <span class="quiet small report-detail">
        {successRate === null
          ? 'No calls'
          : `${formatRate(successRate)} of ${formatCount(successes + failures + timeouts)} answered in order`}
        {failures > 0 && `, ${plural(failures, 'failure')}`}
        {timeouts > 0 && `, ${plural(timeouts, 'timeout')}`}
        {rejects > 0 && `, ${plural(rejects, 'call')} not made`}
        {openedAt !== null && (
          <>
            ; opened{' '}
            <time dateTime={openedAt} title={formatInstant(openedAt, timezone)}>
              {formatRelative(openedAt, nowMs)}
            </time>
          </>
        )}
        .
      </span>
    </li>
  )
}

/** Which platforms and servers are being called, and which are left alone because they fail. */
export function BreakersView({ breakers }: { breakers: readonly CircuitBreaker[] }) {
  if (breakers.length === 0) return <p class="quiet">No platform was called lately.</p>
  return (
    <ul class="report-list">
      {breakers.map((breaker) => (
        <Breaker key={breaker.name} breaker={breaker} />
      ))}
    </ul>
  )
}
