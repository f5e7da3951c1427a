import { Hono } from 'hono'
import { SCHEMA_VERSION, VERSION } from '../../version.ts'
import type { HttpEnv } from '../context.ts'

/** Probes are answered from the last look for this long. */
const READY_FOR_MS = 10_000

/** Whether the process lives, and whether what it needs does. */
export function createHealthRoutes() {
  let last: { atMs: number; checks: Record<string, { ok: boolean; detail: string | null }> } | null = null
  return new Hono<HttpEnv>()
    .get('/healthz', (c) =>
      c.json(
        { status: 'ok', version: VERSION, commit: c.var.deps.config.commit, schemaVersion: SCHEMA_VERSION },
        200,
        { 'cache-control': 'no-store' },
      ),
    )
    .get('/readyz', async (c) => {
      const now = c.var.deps.services.clock.now()
      if (last === null || now - last.atMs >= READY_FOR_MS)
        last = { atMs: now, checks: await c.var.deps.probe() }
      const ready = Object.values(last.checks).every((check) => check.ok)
      const checks = Object.fromEntries(
        Object.entries(last.checks).map(([name, { ok }]) => [name, ok ? 'ok' : 'down']),
      )
      return c.json({ status: ready ? 'ready' : 'degraded', checks }, ready ? 200 : 503, {
        'cache-control': 'no-store',
        ...(ready ? {} : { 'retry-after': '10' }),
      })
    })
}
