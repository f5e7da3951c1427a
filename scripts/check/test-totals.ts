import { readFile } from 'node:fs/promises'
import { z } from 'zod'

/** What matters of the report that vitest's `json` reporter writes. */
const Report = z.object({
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
})

/**
 * How many tests passed and failed, as `N passed, N failed`. A file that failed before its tests could counts
 * as one failure. @throws when the text is no such report.
 */
export function testTotals(report: string): string {
  const { testResults } = Report.parse(JSON.parse(report))
  let passed = 0
  let failed = 0
  for (const { status, assertionResults } of testResults) {
    const failedHere = assertionResults.filter((test) => test.status === 'failed').length
    passed += assertionResults.filter((test) => test.status === 'passed').length
    failed += failedHere === 0 && status === 'failed' ? 1 : failedHere
  }
  return `${passed} passed, ${failed} failed`
}

if (import.meta.main) {
  const [file] = process.argv.slice(2)
  if (file === undefined) throw new Error('Usage: node scripts/check/test-totals.ts REPORT')
  console.log(testTotals(await readFile(file, 'utf8')))
}
