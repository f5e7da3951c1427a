import { useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import type { Basis, Compare, OverviewFilters } from '../../domain/overview-filters.ts'
import {
  customPeriodProblem,
  isNamedPeriod,
  NAMED_PERIODS,
  namedRange,
  PERIOD_LABELS,
  type Period,
  todayIn,
} from '../../domain/period.ts'
import { formatDateRange } from '../../format/dates.ts'
import { AccountFilterMenu, BrandFilterMenu, PlatformFilterMenu } from '../../ui/account-filters.tsx'
import { Field } from '../../ui/field.tsx'
import { Popover } from '../../ui/popover.tsx'
import { Segmented } from '../../ui/segmented.tsx'

const BASIS: Record<Basis, { label: string; help: string }> = {
  published: {
    label: 'Published',
    help: 'Everything the posts published in this period have gathered so far.',
  },
  gained: { label: 'Gained', help: 'What arrived in this period, whenever the post was published.' },
}

function CustomPeriodForm({
  period,
  timezone,
  apply,
}: {
  period: Period
  timezone: string
  apply: (from: string, to: string) => void
}) {
  const today = todayIn(timezone, Date.now())
  const [range, setRange] = useState(() =>
    period.kind === 'custom' ? { from: period.from, to: period.to } : namedRange(period.name, today),
  )
  const [problem, setProblem] = useState<string | null>(null)
  return (
    <form
      class="period-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        const found = customPeriodProblem(range.from, range.to)
        setProblem(found)
        if (found === null) apply(range.from, range.to)
      }}
    >
      <Field
        label="First day"
        type="date"
        max={today}
        value={range.from}
        onInput={(event) => setRange({ ...range, from: event.currentTarget.value })}
      />
      <Field
        label="Last day"
        type="date"
        max={today}
        value={range.to}
        onInput={(event) => setRange({ ...range, to: event.currentTarget.value })}
        error={problem}
      />
      <button type="submit" class="button button-primary">
        Show this period
      </button>
    </form>
  )
}

/** What the overview is asked: period, reading, comparison, and of whom. */
export function Toolbar({
  filters,
  change,
  accounts,
  timezone,
}: {
  filters: OverviewFilters
  change: (part: Partial<OverviewFilters>) => void
  accounts: readonly Account[]
  timezone: string
}) {
  const { period, basis, compare } = filters
  const custom = period.kind === 'custom'
  return (
    <search class="toolbar" aria-label="Period and filters">
      <div class="toolbar-row">
        <div class="joined">
          <Segmented
            legend="Period"
            options={NAMED_PERIODS.map((name) => ({
              value: name,
              label: name,
              name: PERIOD_LABELS[name],
              title: PERIOD_LABELS[name],
            }))}
            value={custom ? '' : period.name}
            onChange={(name) => {
              if (isNamedPeriod(name)) change({ period: { kind: 'named', name } })
            }}
          />
          <Popover
            label={
              <span class="button-text">{custom ? formatDateRange(period.from, period.to) : 'Custom'}</span>
            }
            name={custom ? `Custom period: ${formatDateRange(period.from, period.to)}` : 'Custom period'}
            panelLabel="Custom period"
            buttonClass={`button ${custom ? 'is-chosen' : ''}`}
          >
            {(close) => (
              <CustomPeriodForm
                period={period}
                timezone={timezone}
                apply={(from, to) => {
                  change({ period: { kind: 'custom', from, to } })
                  close()
                }}
              />
            )}
          </Popover>
        </div>
        <Segmented<Basis>
          legend="Reading of the period"
          options={[
            { value: 'published', label: BASIS.published.label, title: BASIS.published.help },
            { value: 'gained', label: BASIS.gained.label, title: BASIS.gained.help },
          ]}
          value={basis}
          onChange={(value) => change({ basis: value })}
        />
        <select
          class="input input-select"
          aria-label="Compare with"
          value={compare}
          onChange={(event) => {
            const value = event.currentTarget.value
            const chosen: Compare = value === 'year' || value === 'none' ? value : 'previous'
            change({ compare: chosen })
          }}
        >
          <option value="previous">vs. previous</option>
          <option value="year">vs. last year</option>
          <option value="none">No comparison</option>
        </select>
        <PlatformFilterMenu
          accounts={accounts}
          selected={filters.platforms}
          onChange={(platforms) => change({ platforms })}
        />
        <BrandFilterMenu selected={filters.brands} onChange={(brands) => change({ brands })} />
        <AccountFilterMenu
          accounts={accounts}
          selected={filters.accounts}
          onChange={(chosen) => change({ accounts: chosen })}
        />
      </div>
      <p class="toolbar-note">
        <strong>{BASIS[basis].label}:</strong> {BASIS[basis].help}
      </p>
    </search>
  )
}
