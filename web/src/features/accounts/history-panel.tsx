import { useMemo, useState } from 'preact/hooks'
import { ACCOUNT_MEASURES, PLATFORM_FACTS } from '../../../../src/domain/platforms.ts'
import type { Account, AccountMetricsPoint } from '../../../../src/http/wire.ts'
import { getAccountMetrics } from '../../api/endpoints.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { todayIn } from '../../domain/period.ts'
import { instantTicks } from '../../domain/scale.ts'
import { formatDay, formatInstant } from '../../format/dates.ts'
import { formatCompact, formatCount } from '../../format/numbers.ts'
import { useResource } from '../../state/resource.ts'
import { useTimezone } from '../../state/session.tsx'
import { LineIcon, TableIcon } from '../../ui/icons.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.tsx'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'
import { MEASURE_LABELS } from './measures.ts'

type Measure = (typeof ACCOUNT_MEASURES)[number]

function PointsTable({ points, measure }: { points: readonly AccountMetricsPoint[]; measure: Measure }) {
  const timezone = useTimezone()
  const label = MEASURE_LABELS[measure]
  return (
    <ScrollRegion label={`${label} as a table`} class="chart-table">
      <table class="table">
        <TableHead columns={['Read at', { label, number: true }]} />
        <tbody>
          {points.toReversed().map((point) => {
            const value = point[measure]
            return (
              <tr key={point.at}>
                <th scope="row">{formatInstant(point.at, timezone)}</th>
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

function PointsChart({ points, measure }: { points: readonly AccountMetricsPoint[]; measure: Measure }) {
  const timezone = useTimezone()
  const label = MEASURE_LABELS[measure]
  const xs = useMemo(() => points.map(({ at }) => Date.parse(at) / 1_000), [points])
  const ys = useMemo(() => points.map((point) => point[measure]), [points, measure])
  return (
    <TimeChart
      xs={xs}
      ys={ys}
      mode="line"
      whole
      lastIsRunning={false}
      ticksX={(room) => instantTicks(xs[0] ?? 0, xs[xs.length - 1] ?? 0, room)}
      formatTickX={(x) => formatDay(todayIn(timezone, x * 1_000))}
      formatTickY={formatCompact}
      describe={(index) => {
        const point = points[index]
        const value = point?.[measure] ?? null
        return {
          time: point === undefined ? '' : formatInstant(point.at, timezone),
          value: value === null ? `${label}: not known` : `${formatCount(value)} ${label.toLowerCase()}`,
        }
      }}
      label={`${label}, the last reading of each day.`}
    />
  )
}

/** How the counts of an account came to be what they are: the last reading of each day. */
export function HistoryPanel({ account }: { account: Account }) {
  const { id, platform, metricsAt } = account
  const measures = PLATFORM_FACTS[platform].accountMeasures
  const [measure, setMeasure] = useState<Measure>('followers')
  const [view, setView] = useState<'line' | 'table'>('line')
  const points = useResource(`account metrics ${id} ${metricsAt?.slice(0, 10) ?? ''}`, (signal) =>
    getAccountMetrics(id, signal),
  )
  const { data, error } = points
  return (
    <section class="panel chart-panel" aria-label="Over time">
      <div class="chart-head">
        <h2 class="chart-title">
          <select
            class="input input-select input-title"
            aria-label="Count in the chart"
            value={measure}
            onChange={(event) => {
              const chosen = ACCOUNT_MEASURES.find((name) => name === event.currentTarget.value)
              if (chosen !== undefined) setMeasure(chosen)
            }}
          >
            {measures.map((name) => (
              <option key={name} value={name}>
                {MEASURE_LABELS[name]}
              </option>
            ))}
          </select>
        </h2>
        <p class="chart-help">The last reading of each day.</p>
        <Segmented<'line' | 'table'>
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
          <ErrorState error={error} retry={() => void points.reload()} />
        )
      ) : data.every((point) => point[measure] === null) ? (
        <EmptyState title={`There are no readings of its ${MEASURE_LABELS[measure].toLowerCase()} yet.`} />
      ) : view === 'table' ? (
        <PointsTable points={data} measure={measure} />
      ) : (
        <PointsChart points={data} measure={measure} />
      )}
    </section>
  )
}
