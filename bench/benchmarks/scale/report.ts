import { median, quantile, ratio, summarise } from '../../lib/statistics.ts'
import { type Cell, formatNumber, type Table } from '../../lib/table.ts'
import type { CaseKind, ScaleCase } from './cases.ts'
import type { Measured, Measurements } from './measure.ts'

/** 10,000 as `10k`. */
export function shortCount(count: number): string {
  if (count >= 1_000_000) return `${formatNumber(count / 1_000_000)}M`
  return count >= 1_000 ? `${formatNumber(count / 1_000)}k` : String(count)
}

/** A row a case, its times at each size, and how they grew from the smallest to the largest. */
export function tableOf(
  title: string,
  cases: readonly ScaleCase[],
  sizes: readonly number[],
  measurements: Measurements,
): Table {
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)]
  return {
    title: `${title}: ms by the number of posts`,
    columns: [
      { name: 'case' },
      ...sizes.flatMap((size) => [{ name: `${shortCount(size)}: p50` }, { name: 'p95' }]),
      { name: 'p99' },
      { name: 'grew', unit: '×', digits: 1 },
    ],
    rows: cases.map(({ label }): Cell[] => {
      const summaryAt = (size: number) => summarise(measurements.get(label)?.get(size)?.ms ?? [])
      return [
        label,
        ...sizes.flatMap((size) => [summaryAt(size)?.p50 ?? null, summaryAt(size)?.p95 ?? null]),
        summaryAt(last)?.p99 ?? null,
        ratio(summaryAt(last)?.p50 ?? null, summaryAt(first)?.p50 ?? null),
      ]
    }),
  }
}

/** What was not waited for, case by case. */
export function timeoutNotes(measurements: Measurements): string[] {
  const notes: string[] = []
  for (const [label, bySize] of measurements)
    for (const [size, { ms, timeouts }] of bySize)
      if (timeouts > 0)
        notes.push(
          `Not waited for any longer: ${label}, at ${shortCount(size)} ${timeouts} of ${ms.length} times.`,
        )
  return notes
}

/** The targets, of the largest size or of the growth from the smallest. */
const MAX_OVERVIEW_GROWTH = 1.5
const MAX_PAGE_P95_MS = 300
const MAX_SEARCH_P99_MS = 1_000
const MAX_ROWS = 10_000

interface Judged {
  label: string
  value: number
  isMet: boolean
}

/** A line a target: whether all cases meet it, which come nearest to missing it, or which miss it. */
export function verdicts(
  cases: readonly ScaleCase[],
  sizes: readonly number[],
  measurements: Measurements,
): string[] {
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)]
  const judge = (kinds: CaseKind[], measure: (at: (size: number) => Measured) => number, most: number) =>
    cases
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ label }): Judged => {
        const at = (size: number) =>
          measurements.get(label)?.get(size) ?? { ms: [], timeouts: 0, mostRows: Number.POSITIVE_INFINITY }
        const value = measure(at)
        return { label, value, isMet: value <= most }
      })
  const p50 = (measured: Measured) => median(measured.ms) ?? Number.POSITIVE_INFINITY
  // Where there are too few times to tell, the longest.
  const tail = (measured: Measured, share: number) =>
    quantile(measured.ms, share) ?? summarise(measured.ms)?.max ?? Number.POSITIVE_INFINITY
  const growth = judge(['overview'], (at) => p50(at(last)) / p50(at(first)), MAX_OVERVIEW_GROWTH)
  const size = shortCount(last)
  return [
    line(
      `cold overview of 28 days at ${size} ≤ ${MAX_OVERVIEW_GROWTH} × ${shortCount(first)}`,
      growth.slice(0, 1),
      '×',
    ),
    line(`overview in every other form at ${size} ≤ ${MAX_OVERVIEW_GROWTH} ×`, growth.slice(1), '×'),
    line(
      `posts page p95 < ${MAX_PAGE_P95_MS} ms at ${size}`,
      judge(['page'], (at) => tail(at(last), 0.95), MAX_PAGE_P95_MS),
      'ms',
    ),
    line(
      `search p99 < ${formatNumber(MAX_SEARCH_P99_MS)} ms at ${size}`,
      judge(['search'], (at) => tail(at(last), 0.99), MAX_SEARCH_P99_MS),
      'ms',
    ),
    line(
      `no statement returns more than ${formatNumber(MAX_ROWS)} rows`,
      judge(
        ['overview', 'page', 'search', 'list'],
        (at) => Math.max(...sizes.map((s) => at(s).mostRows)),
        MAX_ROWS,
      ),
      'rows',
    ),
  ]
}

function line(target: string, judged: Judged[], unit: string): string {
  const missed = judged.filter(({ isMet }) => !isMet)
  const worst = judged.toSorted((a, b) => b.value - a.value)
  const shown = (missed.length > 0 ? worst.slice(0, missed.length) : worst.slice(0, 1))
    .map(({ label, value }) => `${label}: ${formatNumber(value)} ${unit}`)
    .join('; ')
  return missed.length === 0
    ? `✓ ${target} (most: ${shown})`
    : `✗ ${target}: missed by ${missed.length} of ${judged.length} (${shown})`
}
