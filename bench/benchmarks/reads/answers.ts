import { assertMeasured } from '../../lib/benchmark.ts'
import type { LoadResult } from '../../lib/load/protocol.ts'

/** @throws when nothing was answered, or some of it with an error, unless it may be. */
export function assertAnswered(what: string, result: LoadResult, mayFail = false): void {
  const { statuses, requests, failed } = result
  assertMeasured(
    requests > 0 && (mayFail || failed === 0),
    `${what} was answered with ${JSON.stringify(statuses)}`,
  )
}

/** Requests a second. */
export function rateOf({ requests, elapsedMs }: LoadResult): number {
  return (requests / elapsedMs) * 1_000
}

/** Which tiers answered, by their share. */
export function sharesOf(results: LoadResult[]): string {
  const counts = new Map<string, number>()
  for (const { tiers } of results)
    for (const [tier, count] of Object.entries(tiers)) counts.set(tier, (counts.get(tier) ?? 0) + count)
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([tier, count]) => `${tier} ${((100 * count) / total).toFixed(count === total ? 0 : 1)} %`)
    .join(', ')
}
