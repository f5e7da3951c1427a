import type { CircuitBreaker } from '../../../../src/http/wire.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount, formatRate, plural } from '../../format/numbers.ts'
import { useNow } from '../../state/now.ts'
import { useTimezone } from '../../state/session.tsx'
import { Banner } from '../../ui/states.tsx'

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
  const { name, scope, mode, state, failures, timeouts, rejects, openedAt } = breaker
  const isObserving = mode === 'observe'
  const { label, tone } = STATES[state]
  return (
    <li>
      <code class="report-name">{name}</code>
      <span class={`status status-${tone}`}>{isObserving && state !== 'closed' ? 'Failing' : label}</span>
      <span class="quiet small report-detail">
        {answeredWords(breaker)}
        {failures > 0 && `, ${plural(failures, 'failure')}`}
        {timeouts > 0 && `, ${plural(timeouts, 'timeout')}`}
        {rejects > 0 &&
          `, ${plural(rejects, 'call')} ${isObserving ? 'made that would not have been' : 'not made'}`}
        {openedAt !== null && (
          <>
            ; opened{' '}
            <time dateTime={openedAt} title={formatInstant(openedAt, timezone)}>
              {formatRelative(openedAt, nowMs)}
            </time>
          </>
        )}
        {scope === 'isolate' && '; as the instance that answered has it'}
        {isObserving && '; only observed'}.
      </span>
    </li>
  )
}

/**
 * What is being called, and what is left alone because it fails.
 * @param leftOut why platforms are not listed; `null`: they are
 */
export function BreakersView(props: { breakers: readonly CircuitBreaker[]; leftOut: string | null }) {
  const { breakers, leftOut } = props
  const knowsPlatforms = breakers.some(({ scope }) => scope === 'deployment')
  return (
    <>
      {leftOut !== null && <Banner tone="bad">Platforms are not shown. {leftOut}</Banner>}
      <ul class="report-list">
        {breakers.map((breaker) => (
          <Breaker key={`${breaker.scope} ${breaker.name}`} breaker={breaker} />
        ))}
      </ul>
      {leftOut === null && !knowsPlatforms && <p class="quiet">No platform was called lately.</p>}
    </>
  )
}
