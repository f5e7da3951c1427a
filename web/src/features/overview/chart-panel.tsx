import { useMemo, useState } from 'preact/hooks'
import type { Overview, OverviewMetric } from '../../../../src/http/wire.ts'
import { type ChartMode, TimeChart } from '../../charts/time-chart.tsx'
import {
  formatMetricExact,
  formatMetricTick,
  isOverviewMetric,
  METRIC_NAMES,
  METRICS,
} from '../../domain/metrics.ts'
import { todayIn } from '../../domain/period.ts'
import { dayTicks, hourTicks } from '../../domain/scale.ts'
import { unknownTotalWords } from '../../domain/unknown-metric.ts'
import { formatDateRange, formatDay, formatDayLong, formatHour, formatMonth } from '../../format/dates.ts'
import { Skeleton } from '../../ui/states.tsx'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'
import { type ChartView, ViewSwitch } from '../../ui/view-switch.tsx'

const VIEWS = ['bars', 'line', 'table'] as const

/** Beyond this many entries bars are too thin to be told apart. */
const MAX_BARS = 120

interface Series {
  xs: number[]
  ys: (number | null)[]
  starts: string[]
  lastIsRunning: boolean
}

function readSeries(overview: Overview, metric: OverviewMetric): Series {
  const { series, granularity, period } = overview
  const today = todayIn(period.timezone, Date.parse(overview.generatedAt))
  return {
    xs: series.map((_, i) => i),
    ys: series.map((entry) => entry[metric]),
    starts: series.map((entry) => entry.start),
    lastIsRunning: granularity === 'day' && series[series.length - 1]?.start === today,
  }
}

function SeriesTable({
  overview,
  metric,
  series,
}: {
  overview: Overview
  metric: OverviewMetric
  series: Series
}) {
  const { label } = METRICS[metric]
  const isDay = overview.granularity === 'day'
  return (
    <ScrollRegion label={`${label} as a table`} class="chart-table">
      <table class="table">
        <TableHead columns={[isDay ? 'Day' : 'Hour', { label, number: true }]} />
        <tbody>
          {series.starts.map((start, i) => {
            const value = series.ys[i] ?? null
            return (
              <tr key={start}>
                <th scope="row">
                  {isDay ? formatDayLong(start) : formatHour(start, overview.period.timezone)}
                  {series.lastIsRunning && i === series.starts.length - 1 && (
                    <span class="quiet"> so far</span>
                  )}
                </th>
                <td class="number">
                  {value === null ? <span class="quiet">not known</span> : formatMetricExact(metric, value)}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function Chart({
  overview,
  metric,
  mode,
  series,
}: {
  overview: Overview
  metric: OverviewMetric
  mode: ChartMode
  series: Series
}) {
  const { label, nature } = METRICS[metric]
  const { timezone, from, to } = overview.period
  const isDay = overview.granularity === 'day'
  const byMonth = series.starts.length > 100
  if (series.ys.every((value) => value === null))
    return (
      <div class="chart chart-empty">
        <p class="quiet">
          {label}: {unknownTotalWords(metric, overview).toLowerCase()}.
        </p>
      </div>
    )
  return (
    <TimeChart
      xs={series.xs}
      ys={series.ys}
      mode={mode}
      whole={nature !== 'rate'}
      lastIsRunning={series.lastIsRunning}
      ticksX={(room) => (isDay ? dayTicks(series.starts, room) : hourTicks(series.starts.length, room))}
      formatTickX={(x) => {
        const start = series.starts[x]
        if (start === undefined) return ''
        if (!isDay) return formatHour(start, timezone)
        return byMonth ? formatMonth(start) : formatDay(start)
      }}
      formatTickY={(y) => formatMetricTick(metric, y)}
      describe={(index) => {
        const start = series.starts[index] ?? ''
        const value = series.ys[index] ?? null
        const running = series.lastIsRunning && index === series.starts.length - 1
        const time = isDay ? formatDayLong(start) : formatHour(start, timezone)
        return {
          time: running ? `${time}, so far` : time,
          value:
            value === null
              ? `${label}: not known`
              : `${formatMetricExact(metric, value)} ${label.toLowerCase()}`,
        }
      }}
      label={`${label} ${isDay ? 'by day' : 'by hour'}, ${formatDateRange(from, to)}.`}
    />
  )
}

/** The chosen metric over the period, as bars, a line or a table. */
export function ChartPanel({
  overview,
  metric,
  choose,
}: {
  overview: Overview | undefined
  metric: OverviewMetric
  choose: (metric: OverviewMetric) => void
}) {
  const [wanted, setWanted] = useState<ChartView | null>(null)
  const series = useMemo(
    () => (overview === undefined ? null : readSeries(overview, metric)),
    [overview, metric],
  )
  const usual: ChartMode =
    METRICS[metric].nature === 'flow' && (series?.xs.length ?? 0) <= MAX_BARS ? 'bars' : 'line'
  const view = wanted ?? usual
  return (
    <div class="chart-panel">
      <div class="chart-head">
        <h2 class="chart-title">
          <select
            class="input input-select input-title"
            aria-label="Metric in the chart"
            value={metric}
            onChange={(event) => {
              const { value } = event.currentTarget
              if (isOverviewMetric(value)) choose(value)
            }}
          >
            {METRIC_NAMES.map((name) => (
              <option key={name} value={name}>
                {METRICS[name].label}
              </option>
            ))}
          </select>
        </h2>
        <p class="chart-help">{METRICS[metric].help}</p>
        <ViewSwitch views={VIEWS} view={view} onChange={setWanted} />
      </div>
      {overview === undefined || series === null ? (
        <Skeleton class="chart skeleton-chart" />
      ) : view === 'table' ? (
        <SeriesTable overview={overview} metric={metric} series={series} />
      ) : (
        <Chart overview={overview} metric={metric} mode={view} series={series} />
      )}
      <p class="chart-note">
        {series?.lastIsRunning && view !== 'table' ? 'The last day is still running.' : ''}
      </p>
    </div>
  )
}
