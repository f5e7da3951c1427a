import type { Budgets } from '../../../../src/http/wire.ts'
import { formatDuration, formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useNow } from '../../state/now.ts'
import { useTimezone } from '../../state/session.tsx'
import { Level } from '../../ui/level.tsx'

type Allowance = Budgets['allowances'][number]

function AllowanceOf({ allowance }: { allowance: Allowance }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { key, used, allowed, limit, windowSeconds, pausedUntil } = allowance
  const words = `${formatCount(used)} of ${formatCount(allowed)}`
  return (
    <li class="allowance">
      <code class="report-name">{key}</code>
      <span class="allowance-words">
        {words}{' '}
        <span class="quiet small" title={`The platform itself allows ${formatCount(limit)}`}>
          in {formatDuration(windowSeconds)}
        </span>
      </span>
      <Level used={used} most={allowed} end={limit} label={`${key}: ${words} used`} />
      {pausedUntil !== null && Date.parse(pausedUntil) > nowMs && (
        <span class="status status-warning">
          Waits until{' '}
          <time dateTime={pausedUntil} title={formatRelative(pausedUntil, nowMs)}>
            {formatInstant(pausedUntil, timezone)}
          </time>
        </span>
      )}
    </li>
  )
}

/** What may still be called, of what calls were taken from lately. The fullest come first. */
export function AllowancesView({ allowances }: { allowances: Budgets['allowances'] }) {
  if (allowances.length === 0) return <p class="quiet">No allowance was used lately.</p>
  const fullness = ({ used, allowed }: Allowance) => (allowed === 0 ? 1 : used / allowed)
  return (
    <ul class="allowances">
      {allowances
        .toSorted((a, b) => fullness(b) - fullness(a) || a.key.localeCompare(b.key))
        .map((allowance) => (
          <AllowanceOf key={allowance.key} allowance={allowance} />
        ))}
    </ul>
  )
}
