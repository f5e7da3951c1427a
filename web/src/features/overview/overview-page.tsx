import type { Overview } from '../../../../src/http/wire.ts'
import { getOverview, getTrending } from '../../api/endpoints.ts'
import { buildQuery } from '../../api/query.ts'
import { behindWords } from '../../domain/account-status.ts'
import {
  type OverviewFilters,
  overviewQuery,
  overviewSearch,
  parseOverviewFilters,
} from '../../domain/overview-filters.ts'
import { formatDateRange, formatInstant, formatRelative } from '../../format/dates.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useLiveResource } from '../../state/live.tsx'
import { useNow } from '../../state/now.ts'
import type { Resource } from '../../state/resource.ts'
import { Link, replaceSearch, useLocation } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { InfoIcon } from '../../ui/icons.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner, ErrorState, Skeleton } from '../../ui/states.tsx'
import { ConnectButton } from '../accounts/connect-provider.tsx'
import { AccountsPanel } from './accounts-panel.tsx'
import { ChartPanel } from './chart-panel.tsx'
import { KeyFigures } from './key-figures.tsx'
import { PlatformsPanel } from './platforms-panel.tsx'
import { Toolbar } from './toolbar.tsx'
import { TopPostsPanel } from './top-posts-panel.tsx'
import { TrendingPanel } from './trending-panel.tsx'
import { Welcome } from './welcome.tsx'

/** The comparison in words, for badges and the lead: `28 Sep – 25 Oct 2026`. */
function comparisonWords(overview: Overview | undefined): string {
  const comparison = overview?.comparison
  return comparison ? formatDateRange(comparison.from, comparison.to) : 'the comparison'
}

function Lead({ overview }: { overview: Overview | undefined }) {
  if (overview === undefined) return <Skeleton class="skeleton-line" />
  const { period, comparison } = overview
  return (
    <>
      <span>{formatDateRange(period.from, period.to)}</span>
      {comparison && (
        <span
          class="quiet"
          title={`Compared up to ${formatInstant(comparison.until, period.timezone)}, the same time of day`}
        >
          {' '}
          against {comparisonWords(overview)}
        </span>
      )}
      <span class="quiet"> · {period.timezone.replaceAll('_', ' ')}</span>
    </>
  )
}

function Notices({ overview }: { overview: Resource<Overview> }) {
  const nowMs = useNow()
  const { data, error } = overview
  return (
    <>
      {data?.stale && (
        <Banner tone="warning">
          These figures are from {formatRelative(data.generatedAt, nowMs)}: newer ones cannot be read at the
          moment. They will replace these by themselves.
        </Banner>
      )}
      {data !== undefined && error !== undefined && (
        <Banner tone="bad">
          The figures could not be refreshed. {error.message}{' '}
          <button type="button" class="link-button" onClick={() => void overview.reload()}>
            Try again
          </button>
        </Banner>
      )}
    </>
  )
}

/** That some of the accounts in view are not read on time: quiet, as the figures are what they were. */
function BehindNotice({ overview }: { overview: Overview | undefined }) {
  const { byId } = useAccounts()
  const inView = (overview?.accounts ?? []).flatMap(({ id }) => byId.get(id) ?? [])
  const words = behindWords(inView)
  if (words === null) return null
  return (
    <p class="behind-notice" role="note">
      <InfoIcon size={18} />
      <span>
        {words} <Link href="/accounts?status=attention">See which</Link>
      </span>
    </p>
  )
}

/** How the workspace is doing, and what is rising. */
export function OverviewPage() {
  const { search } = useLocation()
  const timezone = useTimezone()
  const accounts = useAccounts()
  const filters = parseOverviewFilters(search)
  const query = overviewQuery(filters)

  const overview = useLiveResource(
    `overview${buildQuery(query)}`,
    ['metrics.updated'],
    (minGeneration, signal) => getOverview({ ...query, minGeneration }, signal),
  )
  const trending = useLiveResource(
    `trending ${filters.window} ${filters.platforms.join()} ${filters.brands.join()}`,
    ['trending.updated'],
    (minGeneration, signal) => {
      const { window, platforms, brands } = filters
      return getTrending({ window, platforms, brands, minGeneration }, signal)
    },
  )

  const change = (part: Partial<OverviewFilters>) => replaceSearch(overviewSearch({ ...filters, ...part }))
  const { data, outdated } = overview
  const against = comparisonWords(data)
  const empty = accounts.data !== undefined && accounts.data.length === 0

  if (empty)
    return (
      <Page title="Overview">
        <Welcome />
      </Page>
    )
  return (
    <Page
      title="Overview"
      lead={data === undefined && overview.error !== undefined ? undefined : <Lead overview={data} />}
      actions={<ConnectButton />}
    >
      <Toolbar filters={filters} change={change} accounts={accounts.data ?? []} timezone={timezone} />
      <Notices overview={overview} />
      <BehindNotice overview={data} />
      {data === undefined && overview.error !== undefined ? (
        <section class="panel">
          <ErrorState error={overview.error} retry={() => void overview.reload()} />
        </section>
      ) : (
        <>
          <section
            class={`panel tide-panel ${outdated ? 'is-busy' : ''}`}
            aria-busy={outdated}
            aria-label="Key figures"
          >
            <KeyFigures
              overview={data}
              against={against}
              chosen={filters.metric}
              choose={(metric) => change({ metric })}
            />
            <ChartPanel overview={data} metric={filters.metric} choose={(metric) => change({ metric })} />
          </section>
          <div class="columns">
            <div class="stack">
              <TrendingPanel
                trending={trending}
                window={filters.window}
                chooseWindow={(window) => change({ window })}
              />
              <AccountsPanel overview={data} against={against} busy={outdated} />
            </div>
            <div class="stack">
              <TopPostsPanel overview={data} busy={outdated} />
              <PlatformsPanel overview={data} against={against} busy={outdated} />
            </div>
          </div>
        </>
      )}
    </Page>
  )
}
