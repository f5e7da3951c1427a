import type { Overview, OverviewMetric, Totals } from '../../../../src/http/wire.ts'
import { formatMetric, METRICS } from '../../domain/metrics.ts'
import { unknownWords } from '../../domain/unknown-metric.ts'
import { ChangeBadge, LiveFigure, Unknown } from '../../ui/figures.tsx'
import { InfoIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { EmptyState, SkeletonRows } from '../../ui/states.tsx'

const COLUMNS: readonly { metric: OverviewMetric; label: string; optional?: boolean }[] = [
  { metric: 'followers', label: 'Followers' },
  { metric: 'posts', label: 'Posts', optional: true },
  { metric: 'engagements', label: METRICS.engagements.label },
  { metric: 'engagementRateByFollowers', label: 'Rate' },
]

type Entry = Overview['platforms'][number]

function Cell({
  entry,
  metric,
  overview,
  against,
}: {
  entry: Entry
  metric: OverviewMetric
  overview: Overview
  against: string
}) {
  const totals: Totals = entry.totals
  const { value, change } = totals[metric]
  if (value === null) return <Unknown words={unknownWords(metric, [entry.platform], overview.basis)} />
  return (
    <>
      <LiveFigure value={value} of={`${entry.platform} ${metric}`}>
        {formatMetric(metric, value)}
      </LiveFigure>
      {overview.comparison !== null && <ChangeBadge change={change} against={against} />}
    </>
  )
}

function Excluded({ excluded }: { excluded: Overview['excluded'] }) {
  if (excluded.length === 0) return null
  return (
    <div class="excluded">
      <InfoIcon size={18} />
      <div>
        {excluded.map(({ platform, reason }) => (
          <p key={platform}>
            <strong>{platformLabel(platform)}</strong> is not part of the totals above. {reason}
          </p>
        ))}
      </div>
    </div>
  )
}

/** The totals of each platform, and which of them the overall totals leave out. */
export function PlatformsPanel({
  overview,
  against,
  busy,
}: {
  overview: Overview | undefined
  against: string
  busy: boolean
}) {
  return (
    <Panel class="platforms" title="Platforms" busy={busy}>
      {overview === undefined ? (
        <SkeletonRows count={2} />
      ) : overview.platforms.length === 0 ? (
        <EmptyState title="No accounts match these filters." />
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Platform</th>
              {COLUMNS.map(({ metric, label, optional }) => (
                <th
                  key={metric}
                  scope="col"
                  class={`number ${optional ? 'optional' : ''}`}
                  title={METRICS[metric].help}
                >
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {overview.platforms.map((entry) => (
              <tr key={entry.platform}>
                <th scope="row">
                  <span class="platform-name">
                    <PlatformBadge platform={entry.platform} />
                    {platformLabel(entry.platform)}
                  </span>
                </th>
                {COLUMNS.map(({ metric, optional }) => (
                  <td key={metric} class={`number stacked ${optional ? 'optional' : ''}`}>
                    <Cell entry={entry} metric={metric} overview={overview} against={against} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {overview && <Excluded excluded={overview.excluded} />}
    </Panel>
  )
}
