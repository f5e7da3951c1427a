import { useMemo, useState } from 'preact/hooks'
import type { Platform } from '../../../../src/domain/platforms.ts'
import type { PostSnapshot } from '../../../../src/http/wire.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { METRICS } from '../../domain/metrics.ts'
import { todayIn } from '../../domain/period.ts'
import { instantTicks } from '../../domain/scale.ts'
import { unknownPostWords } from '../../domain/unknown-metric.ts'
import { formatDay, formatHour, formatInstant } from '../../format/dates.ts'
import { formatCompact, formatCount } from '../../format/numbers.ts'
import type { Resource } from '../../state/resource.ts'
import { useTimezone } from '../../state/session.tsx'
import { LineIcon, TableIcon } from '../../ui/icons.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.tsx'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'
import { isPostMetricName, POST_METRIC_NAMES, type PostMetricName } from './post-metrics.ts'

type View = 'line' | 'table'

const TWO_DAYS_SECONDS = 2 * 86_400

function SnapshotTable({
  snapshots,
  metric,
}: {
  snapshots: readonly PostSnapshot[]
  metric: PostMetricName
}) {
  const timezone = useTimezone()
  const { label } = METRICS[metric]
  return (
    <ScrollRegion label={`${label} as a table`} class="chart-table">
      <table class="table">
        <TableHead columns={['Read at', { label, number: true }]} />
        <tbody>
          {[...snapshots].reverse().map((snapshot) => {
            const value = snapshot[metric]
            return (
              <tr key={snapshot.observedAt}>
                <th scope="row">{formatInstant(snapshot.observedAt, timezone)}</th>
                <td class="number">
                  {value === null ? <span class="quiet">not known</span> : formatCount(value)}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function SnapshotChart({
  snapshots,
  metric,
}: {
  snapshots: readonly PostSnapshot[]
  metric: PostMetricName
}) {
  const timezone = useTimezone()
  const { label } = METRICS[metric]
  const xs = useMemo(() => snapshots.map((snapshot) => Date.parse(snapshot.observedAt) / 1_000), [snapshots])
  const ys = useMemo(() => snapshots.map((snapshot) => snapshot[metric]), [snapshots, metric])
  const first = xs[0] ?? 0
  const last = xs[xs.length - 1] ?? 0
  const short = last - first < TWO_DAYS_SECONDS
  return (
    <TimeChart
      xs={xs}
      ys={ys}
      mode="line"
      whole
      lastIsRunning={false}
      ticksX={(room) => instantTicks(first, last, room)}
      formatTickX={(x) => {
        const at = new Date(x * 1_000)
        return short ? formatHour(at.toISOString(), timezone) : formatDay(todayIn(timezone, at.getTime()))
      }}
      formatTickY={formatCompact}
      describe={(index) => {
        const snapshot = snapshots[index]
        if (snapshot === undefined) return { time: '', value: '' }
        const value = snapshot[metric]
        return {
          time: formatInstant(snapshot.observedAt, timezone),
          value: value === null ? `${label}: not known` : `${formatCount(value)} ${label.toLowerCase()}`,
        }
      }}
      label={`${label} of this post at each reading.`}
    />
  )
}

/** How a figure of the post came to be what it is: every reading that changed it. */
export function SnapshotsPanel({
  snapshots,
  platform,
}: {
  snapshots: Resource<PostSnapshot[]>
  platform: Platform
}) {
  const [metric, setMetric] = useState<PostMetricName>('engagements')
  const [view, setView] = useState<View>('line')
  const { data, error } = snapshots
  const known = data?.some((snapshot) => snapshot[metric] !== null) ?? false
  return (
    <section class="panel chart-panel" aria-label="Over time">
      <div class="chart-head">
        <h2 class="chart-title">
          <select
            class="input input-select input-title"
            aria-label="Figure in the chart"
            value={metric}
            onChange={(event) => {
              const { value } = event.currentTarget
              if (isPostMetricName(value)) setMetric(value)
            }}
          >
            {POST_METRIC_NAMES.map((name) => (
              <option key={name} value={name}>
                {METRICS[name].label}
              </option>
            ))}
          </select>
        </h2>
        <p class="chart-help">Over time, at every reading that found a change.</p>
        <Segmented<View>
          legend="Show as"
          options={[
            { value: 'line', label: <LineIcon size={18} />, name: 'Show as a line', title: 'Show as a line' },
            { value: 'table', label: <TableIcon size={18} />, name: 'Show as table', title: 'Show as table' },
          ]}
          value={view}
          onChange={setView}
        />
      </div>
      {data === undefined ? (
        error === undefined ? (
          <Skeleton class="chart skeleton-chart" />
        ) : (
          <ErrorState error={error} retry={() => void snapshots.reload()} />
        )
      ) : data.length === 0 ? (
        <EmptyState title="There are no readings of this post yet." />
      ) : !known ? (
        <div class="chart chart-empty">
          <p class="quiet">
            {METRICS[metric].label}: {unknownPostWords(metric, platform).toLowerCase()}.
          </p>
        </div>
      ) : view === 'table' ? (
        <SnapshotTable snapshots={data} metric={metric} />
      ) : (
        <SnapshotChart snapshots={data} metric={metric} />
      )}
    </section>
  )
}
