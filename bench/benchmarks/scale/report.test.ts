import { expect, test } from 'vitest'
import type { CaseKind, ScaleCase } from './cases.ts'
import type { Measured, Measurements } from './measure.ts'
import { shortCount, tableOf, timeoutNotes, verdicts } from './report.ts'

const SIZES = [10_000, 1_000_000]

const caseOf = (label: string, kind: CaseKind): ScaleCase => ({ label, kind, ask: async () => {} })
const CASES = [
  caseOf('usual', 'overview'),
  caseOf('other', 'overview'),
  caseOf('page', 'page'),
  caseOf('search', 'search'),
]

const measured = (ms: number[], given: Partial<Measured> = {}): Measured => ({
  ms,
  timeouts: 0,
  mostRows: 50,
  ...given,
})

function measurementsOf(last: Record<string, Measured>): Measurements {
  return new Map(
    CASES.map(({ label }) => [
      label,
      new Map([
        [10_000, measured([10, 10, 10])],
        [1_000_000, last[label] ?? measured([10, 11, 12])],
      ]),
    ]),
  )
}

test('all targets are met where nothing is slow, grows or returns too much', () => {
  const lines = verdicts(CASES, SIZES, measurementsOf({}))
  expect(lines).toHaveLength(5)
  for (const line of lines) expect(line).toMatch(/^✓/)
})

test('a case that misses a target is named with what it took', () => {
  const lines = verdicts(
    CASES,
    SIZES,
    measurementsOf({
      usual: measured([15, 16, 17]),
      page: measured([100, 301]),
      search: measured([20, 1_200]),
      other: measured([10], { mostRows: 10_001 }),
    }),
  )
  expect(lines).toEqual([
    '✗ cold overview of 28 days at 1M ≤ 1.5 × 10k: missed by 1 of 1 (usual: 1.60 ×)',
    '✓ overview in every other form at 1M ≤ 1.5 × (most: other: 1 ×)',
    '✗ posts page p95 < 300 ms at 1M: missed by 1 of 1 (page: 301 ms)',
    '✗ search p99 < 1,000 ms at 1M: missed by 1 of 1 (search: 1,200 ms)',
    '✗ no statement returns more than 10,000 rows: missed by 1 of 4 (other: 10,001 rows)',
  ])
})

test('what was not measured meets no target', () => {
  const lines = verdicts(CASES, SIZES, new Map())
  for (const line of lines) expect(line).toMatch(/^✗/)
})

test('the table says how much each case grew from the smallest size to the largest', () => {
  const { columns, rows } = tableOf('Reads', CASES, SIZES, measurementsOf({ page: measured([40, 40, 40]) }))
  expect(columns.map(({ name }) => name)).toEqual([
    'case',
    '10k: p50',
    'p95',
    '1M: p50',
    'p95',
    'p99',
    'grew',
  ])
  expect(rows[2]).toEqual(['page', 10, null, 40, null, null, 4])
})

test('what was not waited for is told', () => {
  const measurements = measurementsOf({ search: measured([2_000, 10], { timeouts: 1 }) })
  expect(timeoutNotes(measurements)).toEqual(['Not waited for any longer: search, at 1M 1 of 2 times.'])
})

test('counts are written short', () => {
  expect([500, 10_000, 2_500_000].map(shortCount)).toEqual(['500', '10k', '2.50M'])
})
