import { type RawConfiguration, redact, wellFormed } from '../configuration.ts'
import type { CheckResult } from '../report.ts'
import { checkDatabase } from './database.ts'
import { checkQStash } from './qstash.ts'
import { checkRedis } from './redis.ts'
import { checkVariables } from './variables.ts'
import { checkWorker } from './worker.ts'

/**
 * Examines a deployment from outside: its configuration, and everything that the configuration names. What
 * lacks its variables is left out, since their absence is a problem already. Secrets never show.
 */
export async function examine(raw: RawConfiguration): Promise<CheckResult[]> {
  const env = wellFormed(raw)
  const checks: Promise<CheckResult[]>[] = []
  if (env.DATABASE_URL !== undefined) {
    checks.push(
      checkDatabase({
        url: env.DATABASE_URL,
        ownerUrl: raw.MIGRATION_DATABASE_URL,
        replicaUrl: env.DATABASE_READ_URL,
        fetchEndpoint: env.NEON_FETCH_ENDPOINT,
      }),
    )
  }
  if (env.UPSTASH_REDIS_REST_URL !== undefined && env.UPSTASH_REDIS_REST_TOKEN !== undefined) {
    checks.push(checkRedis({ url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN }))
  }
  if (env.QSTASH_URL !== undefined && env.QSTASH_TOKEN !== undefined) {
    checks.push(
      checkQStash({
        url: env.QSTASH_URL,
        token: env.QSTASH_TOKEN,
        callbacksUrl: env.CALLBACKS_URL ?? env.PUBLIC_URL,
        currentSigningKey: env.QSTASH_CURRENT_SIGNING_KEY,
        nextSigningKey: env.QSTASH_NEXT_SIGNING_KEY,
      }),
    )
  }
  if (env.PUBLIC_URL !== undefined) checks.push(checkWorker('worker', env.PUBLIC_URL))
  if (env.CALLBACKS_URL !== undefined && env.CALLBACKS_URL !== env.PUBLIC_URL)
    checks.push(checkWorker('sync worker', env.CALLBACKS_URL))
  const results = [...checkVariables(raw), ...(await Promise.all(checks)).flat()]
  return results.map((result) => ({ ...result, finding: redact(result.finding, raw) }))
}
