import { useMemo, useState } from 'preact/hooks'
import type { Usage } from '../../../../src/http/wire.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { todayIn } from '../../domain/period.ts'
import { dayTicks } from '../../domain/scale.ts'
import { dailyUsage, type UsageMeasure } from '../../domain/usage.ts'
import { formatDateRange, formatDay, formatDayLong } from '../../format/dates.ts'
import { formatCompact, formatCount, formatUsd } from '../../format/numbers.ts'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'
import { ViewSwitch } from '../../ui/view-switch.tsx'

const MEASURES: readonly { measure: UsageMeasure; label: string }[] = [
  { measure: 'calls', label: 'Calls' },
  { measure: 'failures', label: 'Failed calls' },
  { measure: 'items', label: 'Things read' },
  { measure: 'costUsd', label: 'Cost' },
]

const VIEWS = ['bars', 'table'] as const

interface Drawn {
  dates: string[]
  values: number[]
  label: string
  isMoney: boolean
  lastIsRunning: boolean
}

function written({ isMoney }: Drawn, value: number): string {
  return isMoney ? formatUsd(value) : formatCount(value)
}

function DaysTable({ drawn }: { drawn: Drawn }) {
  const { dates, values, label } = drawn
  return (
    <ScrollRegion label={`${label} as a table`} class="chart-table">
      <table class="table">
        <TableHead columns={['Day', { label, number: true }]} />
        <tbody>
          {dates.map((date, i) => (
            <tr key={date}>
              <th scope="row">
                {formatDayLong(date)}
                {drawn.lastIsRunning && i === dates.length - 1 && <span class="quiet"> so far</span>}
              </th>
              <td class="number">{written(drawn, values[i] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function DaysChart({ drawn }: { drawn: Drawn }) {
  const { dates, values, label, isMoney, lastIsRunning } = drawn
  const xs = useMemo(() => dates.map((_, i) => i), [dates])
  const [first = ''] = dates
  return (
    <TimeChart
      xs={xs}
      ys={values}
      mode="bars"
      whole={!isMoney}
      lastIsRunning={lastIsRunning}
      ticksX={(room) => dayTicks(dates, room)}
      formatTickX={(x) => {
        const date = dates[x]
        return date === undefined ? '' : formatDay(date)
      }}
      formatTickY={isMoney ? formatUsd : formatCompact}
      describe={(index) => {
        const time = formatDayLong(dates[index] ?? first)
        const isRunning = lastIsRunning && index === dates.length - 1
        return {
          time: isRunning ? `${time}, so far` : time,
          value: `${label}: ${written(drawn, values[index] ?? 0)}`,
        }
      }}
      label={`${label} by day, ${formatDateRange(first, dates[dates.length - 1] ?? first)}.`}
    />
  )
}

/** What was called on each day, of all platforms or of one. */
export function UsageChart({ usage }: { usage: Usage }) {
  const [measure, setMeasure] = useState<UsageMeasure>('calls')
  const [wanted, setPlatform] = useState('')
  const [view, setView] = useState<(typeof VIEWS)[number]>('bars')
  // Another period may not have the platform that was chosen.
  const platform = usage.platforms.some((entry) => entry.platform === wanted) ? wanted : ''
  const days = useMemo(() => dailyUsage(usage, measure, platform), [usage, measure, platform])
  const drawn: Drawn = {
    ...days,
    label: MEASURES.find((option) => option.measure === measure)?.label ?? '',
    isMoney: measure === 'costUsd',
    lastIsRunning: usage.period.to === todayIn(usage.period.timezone, Date.now()),
  }
  return (
    <section class="panel chart-panel" aria-label="By day">
      <div class="chart-head">
        <h2 class="chart-title joined">
          <select
            class="input input-select input-title"
            aria-label="What is counted"
            value={measure}
            onChange={(event) => {
              const chosen = MEASURES.find((option) => option.measure === event.currentTarget.value)
              if (chosen !== undefined) setMeasure(chosen.measure)
            }}
          >
            {MEASURES.map((option) => (
              <option key={option.measure} value={option.measure}>
                {option.label}
              </option>
            ))}
          </select>
          <select
            class="input input-select"
            aria-label="Platform"
            value={platform}
            onChange={(event) => setPlatform(event.currentTarget.value)}
          >
            <option value="">All platforms</option>
            {usage.platforms.map((entry) => (
              <option key={entry.platform} value={entry.platform}>
                {platformLabel(entry.platform)}
              </option>
            ))}
          </select>
        </h2>
        <p class="chart-help">By day of the workspace.</p>
        <ViewSwitch views={VIEWS} view={view} onChange={setView} />
      </div>
      {view === 'table' ? <DaysTable drawn={drawn} /> : <DaysChart drawn={drawn} />}
      <p class="chart-note">
        {drawn.lastIsRunning && view === 'bars' ? 'The last day is still running.' : ''}
      </p>
    </section>
  )
}
