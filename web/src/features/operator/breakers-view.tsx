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

/** How many of the calls were answered in order. */
function answeredWords({ successes, failures, timeouts, successRate }: CircuitBreaker): string {
  const calls = successes + failures + timeouts
  if (successRate === null || calls === 0) return 'No calls'
  if (successes < calls) return `${formatRate(successRate)} of ${formatCount(calls)} answered in order`
  return calls === 1 ? 'One call, answered in order' : `All ${formatCount(calls)} answered in order`
}

function Breaker({ breaker }: { breaker: CircuitBreaker }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { name, state, failures, timeouts, rejects, openedAt } = breaker
  const { label, tone } = STATES[state]
  return (
    <li>
      <code class="report-name">{name}</code>
      <span class={`status status-${tone}`}>{label}</span>
      <span class="quiet small report-detail">
        {answeredWords(breaker)}
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
