import type { Usage } from '../../../../src/http/wire.ts'
import { formatHour, formatInstant } from '../../format/dates.ts'
import { formatUsd } from '../../format/numbers.ts'
import { useTimezone } from '../../state/session.tsx'
import { Level } from '../../ui/level.tsx'
import { Panel } from '../../ui/page.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'

type Budget = Usage['budgets'][number]

/** What may still be spent, and until when. */
function Left({ budget: { leftUsd, moreAt } }: { budget: Budget }) {
  const timezone = useTimezone()
  if (leftUsd === null || moreAt === null) return null
  const hour = (
    <time dateTime={moreAt} title={formatInstant(moreAt, timezone)}>
      {formatHour(moreAt, timezone)}
    </time>
  )
  return (
    <p class="quiet small">
      {leftUsd > 0 ? (
        <>
          {formatUsd(leftUsd)} may be spent until {hour}, then more.
        </>
      ) : (
        <>Nothing may be spent until {hour}.</>
      )}
    </p>
  )
}

function BudgetOf({ budget }: { budget: Budget }) {
  const { platform, dailyUsd, spentTodayUsd } = budget
  const label = platformLabel(platform)
  return (
    <li class="budget">
      <p>
        <strong>{label}</strong>{' '}
        {spentTodayUsd === null ? (
          <span class="quiet">
            {formatUsd(dailyUsd)} a day; what is spent of it cannot be read at the moment.
          </span>
        ) : (
          <>
            {formatUsd(spentTodayUsd)} <span class="quiet">of {formatUsd(dailyUsd)} spent today</span>
          </>
        )}
      </p>
      {spentTodayUsd !== null && (
        <Level
          used={spentTodayUsd}
          most={dailyUsd}
          label={`${label}: ${formatUsd(spentTodayUsd)} of ${formatUsd(dailyUsd)} spent today`}
        />
      )}
      <Left budget={budget} />
    </li>
  )
}

/** The money of platforms that charge for reads; nothing where there are none. */
export function BudgetsPanel({ budgets }: { budgets: Usage['budgets'] }) {
  if (budgets.length === 0) return null
  return (
    <Panel title="Paid reads">
      <ul class="budgets">
        {budgets.map((budget) => (
          <BudgetOf key={budget.platform} budget={budget} />
        ))}
      </ul>
      <p class="quiet small">
        The budget is for a day of UTC, and released bit by bit over it. Once it is spent, accounts wait;
        nothing is lost.
      </p>
    </Panel>
  )
}
