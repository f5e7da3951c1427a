import { z } from 'zod'
import { type CheckResult, messageOf, ok, solvedByDeploying, warning } from '../report.ts'

const TIMEOUT_MS = 10_000
const Health = z.object({ status: z.string(), version: z.string(), commit: z.string() })

/**
 * Asks a Worker under its address how it is. It may not have been deployed yet.
 * @param area what it is called in the report
 */
export async function checkWorker(area: string, url: string): Promise<CheckResult[]> {
  const complain = (finding: string) => [
    solvedByDeploying(warning(area, finding, `\`npm run deploy\` puts it at ${url}`)),
  ]
  try {
    const response = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const health = Health.safeParse(await response.json().catch(() => undefined))
    if (!health.success) return complain(`/healthz answers ${response.status}, and not as Tidemark does`)
    const { status, version, commit } = health.data
    return response.ok ? [ok(area, `${version} (${commit}) is ${status}`)] : complain(`is ${status}`)
  } catch (error) {
    return complain(`does not answer: ${messageOf(error)}`)
  }
}
