import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { messageOf } from '../report.ts'

const REQUEST_TIMEOUT_MS = 10_000
const Health = z.object({ status: z.literal('ok'), version: z.string(), commit: z.string() })
const Deployment = z.object({ claimed: z.boolean() })
const Readiness = z.object({ status: z.string(), checks: z.record(z.string(), z.string()).default({}) })

export interface SmokeTestOptions {
  /** A new address takes a while to be known everywhere. */
  patienceMs?: number
  intervalMs?: number
  /** The commit that must answer; any will do where there is none. */
  commit?: string | undefined
}

/**
 * Asks a Worker whether it lives and reaches what it needs, until it does.
 * @returns a sentence about what answered
 * @throws with the last answer when patience is at an end.
 */
export function smokeTest(publicUrl: string, options: SmokeTestOptions = {}): Promise<string> {
  return untilItWorks(publicUrl, options, () => tryOnce(publicUrl, options.commit))
}

/**
 * Asks the Worker that takes callbacks whether it lives, until it does: what it needs is what the other one needs.
 * @returns a sentence about what answered
 * @throws with the last answer when patience is at an end.
 */
export function smokeTestSync(callbacksUrl: string, options: SmokeTestOptions = {}): Promise<string> {
  return untilItWorks(callbacksUrl, options, async () => {
    const { version, commit } = await requireAlive(callbacksUrl, options.commit)
    return `Its background work, version ${version} (${commit}), lives.`
  })
}

async function untilItWorks(
  url: string,
  { patienceMs = 90_000, intervalMs = 3_000 }: SmokeTestOptions,
  attempt: () => Promise<string>,
): Promise<string> {
  const deadlineMs = performance.now() + patienceMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() + intervalMs > deadlineMs) {
        throw new Error(`${url} does not work: ${messageOf(error)}`, { cause: error })
      }
      await delay(intervalMs)
    }
  }
}

async function requireAlive(url: string, commit: string | undefined): Promise<z.infer<typeof Health>> {
  const health = await getJson(url, '/healthz')
  const alive = Health.safeParse(health.body)
  if (!alive.success) throw new Error(`/healthz answers ${health.status}${problemsIn(health.body)}`)
  if (commit !== undefined && alive.data.commit !== commit) {
    throw new Error(`commit ${alive.data.commit} answers, not ${commit}`)
  }
  return alive.data
}

async function tryOnce(publicUrl: string, wantedCommit: string | undefined): Promise<string> {
  const { version, commit } = await requireAlive(publicUrl, wantedCommit)
  const readiness = await getJson(publicUrl, '/readyz')
  const ready = Readiness.safeParse(readiness.body)
  if (readiness.status !== 200 || !ready.success) {
    const down = Object.entries(ready.data?.checks ?? {}).filter(([, state]) => state !== 'ok')
    const names = down.map(([name]) => name).join(', ')
    throw new Error(`/readyz answers ${readiness.status}${names && `; it does not reach: ${names}`}`)
  }
  const sentence = `Version ${version} (${commit}) lives, and reaches what it needs.`
  return `${sentence}${await adviceOnClaiming(publicUrl)}`
}

/** Until somebody has signed up, anybody can become the operator by doing so. */
async function adviceOnClaiming(publicUrl: string): Promise<string> {
  const { body } = await getJson(publicUrl, '/api/v1/public/deployment')
  if (Deployment.safeParse(body).data?.claimed !== false) return ''
  return ' Nobody has signed up yet: do it now, as the first person becomes the operator.'
}

async function getJson(publicUrl: string, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(new URL(path, publicUrl), {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    redirect: 'manual',
    headers: { 'cache-control': 'no-cache' },
  })
  return { status: response.status, body: await response.json().catch(() => undefined) }
}

/** What a Worker that is not configured says is missing. */
function problemsIn(body: unknown): string {
  const parsed = z.object({ problems: z.array(z.string()) }).safeParse(body)
  return parsed.success ? `: ${parsed.data.problems.join('; ')}` : ''
}
