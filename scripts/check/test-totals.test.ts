import { expect, it } from 'vitest'
import { testTotals } from './test-totals.ts'

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
})
const totals = (...testResults: ReturnType<typeof file>[]) => testTotals(JSON.stringify({ testResults }))

it('counts what passed and what failed, over all files', () => {
  expect(totals(file('passed', 'passed', 'passed', 'skipped'), file('failed', 'passed', 'failed'))).toBe(
    '3 passed, 1 failed',
  )
  expect(totals()).toBe('0 passed, 0 failed')
})

it('counts a file that could not be loaded, or whose hooks failed, as a failure', () => {
  expect(totals(file('failed'), file('failed', 'passed', 'skipped'))).toBe('1 passed, 2 failed')
})

it('refuses what is no report', () => {
  expect(() => testTotals('{}')).toThrow()
})
