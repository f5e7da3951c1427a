import { useMemo, useState } from 'preact/hooks'
import { todayIn } from '../domain/period.ts'
import { instantTicks } from '../domain/scale.ts'
import { formatDay, formatHour, formatInstant } from '../format/dates.ts'
import { formatCompact, formatCount } from '../format/numbers.ts'
import type { Resource } from '../state/resource.ts'
import { useTimezone } from '../state/session.tsx'
import { EmptyState, ErrorState, Skeleton } from '../ui/states.tsx'
import { ScrollRegion, TableHead } from '../ui/table.tsx'
import { ViewSwitch } from '../ui/view-switch.tsx'
import { TimeChart } from './time-chart.tsx'

const VIEWS = ['line', 'table'] as const

/** Below that, the hour says more than the day. */
const TWO_DAYS_SECONDS = 2 * 86_400

/** What a count was at a moment; `null`: it was not known. */
interface Reading {
  /** ISO 8601. */
  at: string
  value: number | null
}

function ReadingsTable({ readings, label }: { readings: readonly Reading[]; label: string }) {
  const timezone = useTimezone()
  return (
    <ScrollRegion label={`${label} as a table`} class="chart-table">
      <table class="table">
        <TableHead columns={['Read at', { label, number: true }]} />
        <tbody>
          {readings.toReversed().map(({ at, value }) => (
            <tr key={at}>
              <th scope="row">{formatInstant(at, timezone)}</th>
              <td class="number">
                {value === null ? <span class="quiet">not known</span> : formatCount(value)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function ReadingsChart({
  readings,
  label,
  caption,
}: {
  readings: readonly Reading[]
  label: string
  caption: string
}) {
  const timezone = useTimezone()
  const xs = useMemo(() => readings.map(({ at }) => Date.parse(at) / 1_000), [readings])
  const ys = useMemo(() => readings.map(({ value }) => value), [readings])
  const first = xs[0] ?? 0
  const last = xs[xs.length - 1] ?? 0
  const isShort = last - first < TWO_DAYS_SECONDS
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
        return isShort ? formatHour(at.toISOString(), timezone) : formatDay(todayIn(timezone, at.getTime()))
      }}
      formatTickY={formatCompact}
      describe={(index) => {
        const reading = readings[index]
        if (reading === undefined) return { time: '', value: '' }
        const { at, value } = reading
        return {
          time: formatInstant(at, timezone),
          value: value === null ? `${label}: not known` : `${formatCount(value)} ${label.toLowerCase()}`,
        }
      }}
      label={caption}
    />
  )
}

/** How counts of one thing came to be what they are: one of them at each reading, drawn or as a table. */
export function ReadingsPanel<Name extends string, Row>({
  names,
  labels,
  chosen,
  choose,
  choiceName,
  rows,
  readingOf,
  help,
  caption,
  unknownWords,
}: {
  /** The counts, of which one is shown. */
  names: readonly Name[]
  labels: (name: Name) => string
  chosen: Name
  choose: (name: Name) => void
  /** What the choice among them is called. */
  choiceName: string
  rows: Resource<readonly Row[]>
  readingOf: (row: Row, name: Name) => Reading
  help: string
  /** What the chart is, for those who do not see it. */
  caption: string
  /** Why there is no number in any of the rows. */
  unknownWords: string
}) {
  const [view, setView] = useState<(typeof VIEWS)[number]>('line')
  const { data, error } = rows
  const readings = useMemo(() => data?.map((row) => readingOf(row, chosen)), [data, chosen])
  const label = labels(chosen)
  return (
    <section class="panel chart-panel" aria-label="Over time">
      <div class="chart-head">
        <h2 class="chart-title">
          <select
            class="input input-select input-title"
            aria-label={choiceName}
            value={chosen}
            onChange={(event) => {
              const name = names.find((one) => one === event.currentTarget.value)
              if (name !== undefined) choose(name)
            }}
          >
            {names.map((name) => (
              <option key={name} value={name}>
                {labels(name)}
              </option>
            ))}
          </select>
        </h2>
        <p class="chart-help">{help}</p>
        <ViewSwitch views={VIEWS} view={view} onChange={setView} />
      </div>
      {readings === undefined ? (
        error === undefined ? (
          <Skeleton class="chart skeleton-chart" />
        ) : (
          <ErrorState error={error} retry={() => void rows.reload()} />
        )
      ) : readings.length === 0 ? (
        <EmptyState title="There are no readings yet." />
      ) : readings.every(({ value }) => value === null) ? (
        <div class="chart chart-empty">
          <p class="quiet">
            {label}: {unknownWords.toLowerCase()}.
          </p>
        </div>
      ) : view === 'table' ? (
        <ReadingsTable readings={readings} label={label} />
      ) : (
        <ReadingsChart readings={readings} label={label} caption={caption} />
      )}
    </section>
  )
}
