import type { OverviewMetric, TrendingWindow } from '../../../src/http/wire.ts'
import { isOverviewMetric } from './metrics.ts'
import { customPeriodProblem, isNamedPeriod, type Period } from './period.ts'

export type Basis = 'published' | 'gained'
export type Compare = 'previous' | 'year' | 'none'

/** Everything the overview can be asked, as it stands in the page's address. */
export interface OverviewFilters {
  period: Period
  basis: Basis
  compare: Compare
  platforms: string[]
  brands: string[]
  accounts: string[]
  /** The metric in the chart. */
  metric: OverviewMetric
  /** The window of the trending hashtags. */
  window: TrendingWindow
}

export const DEFAULT_FILTERS: OverviewFilters = {
  period: { kind: 'named', name: '28d' },
  basis: 'published',
  compare: 'previous',
  platforms: [],
  brands: [],
  accounts: [],
  metric: 'engagements',
  window: '24h',
}

/** Splits `a,b`; nothing stands for an empty list. */
export function splitList(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function parsePeriod(search: URLSearchParams): Period {
  const from = search.get('from') ?? ''
  const to = search.get('to') ?? ''
  if (customPeriodProblem(from, to) === null) return { kind: 'custom', from, to }
  const name = search.get('period')
  return isNamedPeriod(name) ? { kind: 'named', name } : DEFAULT_FILTERS.period
}

/** Reads the filters out of an address. What it does not understand is the default. */
export function parseOverviewFilters(search: URLSearchParams): OverviewFilters {
  const compare = search.get('compare')
  const metric = search.get('metric')
  const window = search.get('window')
  return {
    period: parsePeriod(search),
    basis: search.get('basis') === 'gained' ? 'gained' : 'published',
    compare: compare === 'year' || compare === 'none' ? compare : 'previous',
    platforms: splitList(search.get('platforms')),
    brands: splitList(search.get('brands')),
    accounts: splitList(search.get('accounts')),
    metric: isOverviewMetric(metric) ? metric : DEFAULT_FILTERS.metric,
    window: window === '1h' || window === '7d' ? window : '24h',
  }
}

function periodQuery(period: Period): Record<string, string> {
  return period.kind === 'named' ? { period: period.name } : { from: period.from, to: period.to }
}

/** The address of these filters; defaults are left out, so that the plain address is the plain page. */
export function overviewSearch(filters: OverviewFilters): Record<string, string | string[] | undefined> {
  const plain = filters.period.kind === 'named' && filters.period.name === '28d'
  const unless = <T extends string>(value: T, standard: T) => (value === standard ? undefined : value)
  return {
    ...(plain ? {} : periodQuery(filters.period)),
    basis: unless(filters.basis, DEFAULT_FILTERS.basis),
    compare: unless(filters.compare, DEFAULT_FILTERS.compare),
    platforms: filters.platforms,
    brands: filters.brands,
    accounts: filters.accounts,
    metric: unless(filters.metric, DEFAULT_FILTERS.metric),
    window: unless(filters.window, DEFAULT_FILTERS.window),
  }
}

/** What `GET /dashboard/overview` is asked for these filters. */
export function overviewQuery(filters: OverviewFilters): Record<string, string | string[]> {
  return {
    ...periodQuery(filters.period),
    compare: filters.compare,
    basis: filters.basis,
    accounts: filters.accounts,
    platforms: filters.platforms,
    brands: filters.brands,
  }
}
