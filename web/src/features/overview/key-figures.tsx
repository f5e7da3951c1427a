import type { Overview, OverviewMetric } from '../../../../src/http/wire.ts'
import { formatMetric, formatMetricExact, METRICS } from '../../domain/metrics.ts'
import { unknownTotalWords } from '../../domain/unknown-metric.ts'
import { formatCount, formatSigned } from '../../format/numbers.ts'
import { ChangeBadge, LiveFigure } from '../../ui/figures.tsx'
import { Skeleton } from '../../ui/states.tsx'

const HEADLINES: readonly OverviewMetric[] = [
  'followers',
  'engagements',
  'engagementRateByFollowers',
  'posts',
]
const DETAILS: readonly OverviewMetric[] = ['likes', 'comments', 'shares', 'views', 'impressions']

/** How many posts a figure is known for, where it is not all of them. */
function coverageWords(overview: Overview, metric: OverviewMetric): string | null {
  const coverage = overview.coverage[metric]
  if (coverage === undefined || coverage.known >= coverage.total || coverage.known === 0) return null
  return `known for ${formatCount(coverage.known)} of ${formatCount(coverage.total)} posts`
}

/** Tells the figures of one question from those of another, so that only live changes light up. */
function questionOf(overview: Overview, metric: OverviewMetric): string {
  const { period, basis } = overview
  const people = overview.accounts.map((account) => account.id).join()
  return `${metric} ${basis} ${period.from} ${period.to} ${people}`
}

function Figure({
  overview,
  metric,
  against,
}: {
  overview: Overview
  metric: OverviewMetric
  against: string
}) {
  const { value, change } = overview.totals[metric]
  const gained = overview.totals.followersGained.value
  const coverage = coverageWords(overview, metric)
  if (value === null) return <span class="figure-unknown">{unknownTotalWords(metric, overview)}</span>
  return (
    <>
      <span class="figure-line">
        <span class="figure-value">
          <LiveFigure
            value={value}
            of={questionOf(overview, metric)}
            title={formatMetricExact(metric, value)}
          >
            {formatMetric(metric, value)}
          </LiveFigure>
        </span>
        {overview.comparison !== null && <ChangeBadge change={change} against={against} />}
      </span>
      {metric === 'followers' && gained !== null && (
        <span class="figure-note">{formatSigned(gained)} in this period</span>
      )}
      {metric === 'engagementRateByFollowers' && (
        <span class="figure-note">by followers at posting time</span>
      )}
      {coverage !== null && <span class="figure-note">{coverage}</span>}
    </>
  )
}

/** The figures that matter most, large; what they are made of, smaller. Choosing one draws it. */
export function KeyFigures({
  overview,
  against,
  chosen,
  choose,
}: {
  overview: Overview | undefined
  against: string
  chosen: OverviewMetric
  choose: (metric: OverviewMetric) => void
}) {
  const row = (metrics: readonly OverviewMetric[], className: string) => (
    <ul class={className}>
      {metrics.map((metric) => (
        <li key={metric}>
          <button
            type="button"
            class="key-figure"
            aria-pressed={metric === chosen}
            title={METRICS[metric].help}
            onClick={() => choose(metric)}
          >
            <span class="figure-label">{METRICS[metric].label}</span>
            {overview === undefined ? (
              <Skeleton class="skeleton-figure" />
            ) : (
              <Figure overview={overview} metric={metric} against={against} />
            )}
          </button>
        </li>
      ))}
    </ul>
  )
  return (
    <div class="key-figures">
      {row(HEADLINES, 'headlines')}
      {row(DETAILS, 'details')}
    </div>
  )
}
