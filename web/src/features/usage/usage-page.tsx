import type { Usage } from '../../../../src/http/wire.ts'
import { getUsage } from '../../api/endpoints.ts'
import { parseUsagePeriod, totalUsage, USAGE_PERIODS, type UsagePeriod } from '../../domain/usage.ts'
import { formatDateRange } from '../../format/dates.ts'
import { useLiveReload } from '../../state/live.tsx'
import { useResource } from '../../state/resource.ts'
import { replaceSearch, useLocation } from '../../state/router.tsx'
import { CALL_COLUMNS, CallCells } from '../../ui/call-cells.tsx'
import { LogIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { TableHead } from '../../ui/table.tsx'
import { SettingsPage } from '../settings/settings-page.tsx'
import { BudgetsPanel } from './budgets-panel.tsx'
import { UsageChart } from './usage-chart.tsx'

const RELOAD_MS = 15_000

const PERIOD_LABELS: Record<UsagePeriod, string> = { '7d': '7 days', '28d': '28 days', '90d': '90 days' }

function UsageTable({ usage }: { usage: Usage }) {
  return (
    <table class="table table-stacked usage-table">
      <TableHead columns={['Platform', ...CALL_COLUMNS]} />
      <tbody>
        {usage.platforms.map((entry) => (
          <tr key={entry.platform}>
            <th scope="row">
              <span class="platform-name">
                <PlatformBadge platform={entry.platform} />
                {platformLabel(entry.platform)}
              </span>
            </th>
            <CallCells tallies={entry} />
          </tr>
        ))}
        {usage.platforms.length > 1 && (
          <tr class="total-row">
            <th scope="row">All platforms</th>
            <CallCells tallies={totalUsage(usage.platforms)} />
          </tr>
        )}
      </tbody>
    </table>
  )
}

function Shown({ usage }: { usage: Usage }) {
  return (
    <>
      <BudgetsPanel budgets={usage.budgets} />
      {usage.platforms.length === 0 ? (
        <section class="panel">
          <EmptyState icon={<LogIcon size={28} />} title="Nothing was called in this period.">
            <p class="quiet">Once accounts are connected, every call to their platforms is counted here.</p>
          </EmptyState>
        </section>
      ) : (
        <>
          <UsageChart usage={usage} />
          <Panel title="By platform">
            <UsageTable usage={usage} />
          </Panel>
        </>
      )}
    </>
  )
}

/** What the workspace called at which platform, and what it cost. */
export function UsagePage() {
  const { search } = useLocation()
  const period = parseUsagePeriod(search.get('period'))
  const usage = useResource(`usage ${period}`, (signal) => getUsage(period, signal))
  useLiveReload(['sync.completed'], usage.reload, { minIntervalMs: RELOAD_MS })
  const { data, error, outdated } = usage
  return (
    <SettingsPage
      title="Usage"
      lead={
        data === undefined ? undefined : (
          <>
            {formatDateRange(data.period.from, data.period.to)}
            <span class="quiet"> · {data.period.timezone.replaceAll('_', ' ')}</span>
          </>
        )
      }
      actions={
        <Segmented<UsagePeriod>
          legend="Period"
          options={USAGE_PERIODS.map((value) => ({ value, label: PERIOD_LABELS[value] }))}
          value={period}
          onChange={(value) => replaceSearch({ period: value === '28d' ? undefined : value })}
        />
      }
    >
      {data !== undefined && error !== undefined && (
        <Banner tone="bad">The usage could not be refreshed. {error.message}</Banner>
      )}
      {data === undefined ? (
        <section class="panel">
          {error === undefined ? (
            <SkeletonRows count={6} />
          ) : (
            <ErrorState error={error} retry={() => void usage.reload()} />
          )}
        </section>
      ) : (
        <div class={`usage ${outdated ? 'is-busy' : ''}`} aria-busy={outdated}>
          <Shown usage={data} />
        </div>
      )}
    </SettingsPage>
  )
}
