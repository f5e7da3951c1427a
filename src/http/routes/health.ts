import { type Context, Hono } from 'hono'
import { type Checks, describeChecks } from '../../services/ops/read-health.ts'
import { scopesOf } from '../../services/permissions.ts'
import { SCHEMA_VERSION, VERSION } from '../../version.ts'
import type { HttpEnv } from '../context.ts'
import { addressCaller, limitPolicy } from '../limits.ts'
import { authenticate } from '../middleware/authenticate.ts'

/** Probes are answered from the last look for this long. */
const READY_FOR_MS = 10_000

/** Whether the process lives, and whether what it needs does. */
export function createHealthRoutes() {
  let last: { atMs: number; checks: Checks } | null = null
  return new Hono<HttpEnv>().get('/healthz', answerAlive).get('/readyz', async (c) => {
    const now = c.var.deps.services.clock.now()
    if (last === null || now - last.atMs >= READY_FOR_MS)
      last = { atMs: now, checks: await c.var.deps.probe() }
    const seen = last.checks
    const ready = Object.values(seen).every((check) => check.ok)
    const checks = Object.fromEntries(
      Object.entries(seen).map(([name, { ok }]) => [name, ok ? 'ok' : 'down']),
    )
    const details = (await isAskedByOperator(c))
      ? { dependencies: describeChecks(seen, c.var.deps.breakers()) }
      : {}
    return c.json({ status: ready ? 'ready' : 'degraded', checks, ...details }, ready ? 200 : 503, {
      'cache-control': 'no-store',
      ...(ready ? {} : { 'retry-after': '10' }),
    })
  })
}

/** Says that a Worker lives, and which version it is. */
export function answerAlive(c: Context<HttpEnv>): Response {
  return c.json(
    { status: 'ok', version: VERSION, commit: c.var.deps.config.commit, schemaVersion: SCHEMA_VERSION },
    200,
    { 'cache-control': 'no-store' },
  )
}

/**
 * Probes say nothing of themselves and are asked nothing. Whoever does is looked up within the allowance of
 * their address, so that this is no place to try keys; where that fails (the database may be what is down),
 * they are nobody in particular.
 */
async function isAskedByOperator(c: Context<HttpEnv>): Promise<boolean> {
  const { headers } = c.req.raw
  if (!headers.has('authorization') && !headers.has('cookie')) return false
  const { deps } = c.var
  if (!deps.limiter.charge(limitPolicy(deps, 'public'), addressCaller(headers)).allowed) return false
  try {
    await authenticate(c, async () => {})
    return scopesOf(c.var.ctx.actor).includes('operator')
  } catch {
    return false
  }
}
