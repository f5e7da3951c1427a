import type { Reporter, TestCase } from 'vitest/node'

/**
 * A reporter for Vitest that names, at the end, the tests that have passed at another try only, and why they
 * failed before. None of them is well: either it or what it tests depends on chance.
 */
export default class SecondTries implements Reporter {
  readonly #lines: string[] = []

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return
    const reasons = test.result().errors?.map(({ message }) => message.split('\n')[0]) ?? []
    this.#lines.push(`- ${test.module.relativeModuleId}: ${test.fullName} (${reasons.join('; ')})`)
  }

  onTestRunEnd(): void {
    if (this.#lines.length > 0) console.log(`\nPassed at another try only:\n${this.#lines.join('\n')}`)
  }
}
