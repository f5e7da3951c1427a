import { Redis } from '@upstash/redis'
import { type CheckResult, messageOf, ok, problem, warning } from '../report.ts'

const AREA = 'redis'
const TIMEOUT_MS = 5_000
const PINGS = 5

/** From a data centre beside it, a command takes a few milliseconds; the read path gives up after 250. */
const SLOW_MS = 200

/** Examines the Redis that caches, locks and counts. Leaves one key behind, for a second. */
export async function checkRedis({ url, token }: { url: string; token: string }): Promise<CheckResult[]> {
  const redis = new Redis({
    url,
    token,
    retry: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
  })
  try {
    const times: number[] = []
    for (let ping = 0; ping < PINGS; ping++) {
      const startedAt = performance.now()
      await redis.ping()
      times.push(performance.now() - startedAt)
    }
    const medianMs = times.sort((a, b) => a - b)[Math.floor(PINGS / 2)] ?? 0
    return [latency(medianMs), await checkScripts(redis)]
  } catch (error) {
    const advice = 'compare UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN with the Upstash console'
    return [problem(AREA, `does not answer: ${messageOf(error)}`, advice)]
  }
}

function latency(medianMs: number): CheckResult {
  const finding = `answers in ${medianMs.toFixed(0)} ms from here`
  if (medianMs < SLOW_MS) return ok(AREA, finding)
  return warning(
    AREA,
    finding,
    'harmless if the Worker is nearer to it than this machine; else move the database',
  )
}

/** Locks and limits are scripts that write, which a read-only token may not. */
async function checkScripts(redis: Redis): Promise<CheckResult> {
  const mark = crypto.randomUUID()
  const script = "redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000) return redis.call('GET', KEYS[1])"
  try {
    const answer: unknown = await redis.eval(script, [`tidemark:doctor:${mark}`], [mark])
    if (answer === mark) return ok(AREA, 'runs scripts that write')
    return problem(
      AREA,
      'does not keep what a script writes',
      'use a database of Upstash, or another whole Redis',
    )
  } catch (error) {
    return problem(AREA, `refuses scripts: ${messageOf(error)}`, 'use the token that may write')
  }
}
