import { describe, expect, it } from 'vitest'
import { buildQuery } from '../api/query.ts'
import { DEFAULT_FILTERS, overviewQuery, overviewSearch, parseOverviewFilters } from './overview-filters.ts'

const parse = (search: string) => parseOverviewFilters(new URLSearchParams(search))

describe('overview filters', () => {
  it('reads the plain address as the defaults, and writes the defaults as the plain address', () => {
    expect(parse('')).toEqual(DEFAULT_FILTERS)
    expect(buildQuery(overviewSearch(DEFAULT_FILTERS))).toBe('')
  })

  it('survives a round trip through the address', () => {
    const search =
      '?from=2026-01-01&to=2026-02-03&basis=gained&compare=year&platforms=bluesky,mastodon&accounts=a1&metric=saves&window=7d'
    expect(parse(buildQuery(overviewSearch(parse(search))))).toEqual(parse(search))
    expect(parse(search).period).toEqual({ kind: 'custom', from: '2026-01-01', to: '2026-02-03' })
  })

  it('falls back to the defaults where an address makes no sense', () => {
    const filters = parse(
      '?period=3w&basis=both&compare=x&metric=toString&window=9h&from=2026-02-30&to=2026-03-01',
    )
    expect(filters).toEqual(DEFAULT_FILTERS)
  })

  it('asks the API for a named period by name and for another by its dates', () => {
    expect(overviewQuery(parse('?period=7d'))).toMatchObject({ period: '7d', compare: 'previous' })
    const custom = overviewQuery(parse('?from=2026-01-01&to=2026-01-31'))
    expect(custom).toMatchObject({ from: '2026-01-01', to: '2026-01-31' })
    expect(custom).not.toHaveProperty('period')
  })
})
