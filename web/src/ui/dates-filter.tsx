import { formatDateRange, formatDay } from '../format/dates.ts'
import { Field } from './field.tsx'
import { Popover } from './popover.tsx'

/** Days, as `YYYY-MM-DD`; empty: no bound. */
export interface DateBounds {
  from: string
  to: string
}

function wordsOf({ from, to }: DateBounds): string {
  if (from !== '' && to !== '') return formatDateRange(from, to)
  if (from !== '') return `Since ${formatDay(from)}`
  return to === '' ? 'Any time' : `Until ${formatDay(to)}`
}

/** A filter for what lies between two days. */
export function DatesFilter({
  bounds,
  change,
  what,
  panelLabel,
}: {
  bounds: DateBounds
  change: (bounds: Partial<DateBounds>) => void
  /** What happened on these days, before the colon: `Published`. */
  what: string
  panelLabel: string
}) {
  const { from, to } = bounds
  const words = wordsOf(bounds)
  const chosen = from !== '' || to !== ''
  const backwards = from !== '' && to !== '' && from > to
  return (
    <Popover
      label={<span class="button-text">{words}</span>}
      name={`${what}: ${words}`}
      panelLabel={panelLabel}
      buttonClass={`button ${chosen ? 'is-chosen' : ''}`}
    >
      {() => (
        <>
          <Field
            label="First day"
            type="date"
            value={from}
            onInput={(event) => change({ from: event.currentTarget.value })}
          />
          <Field
            label="Last day"
            type="date"
            value={to}
            onInput={(event) => change({ to: event.currentTarget.value })}
            error={backwards ? 'The first day is after the last one.' : null}
          />
          <button
            type="button"
            class="button button-quiet"
            disabled={!chosen}
            onClick={() => change({ from: '', to: '' })}
          >
            Any time
          </button>
        </>
      )}
    </Popover>
  )
}
