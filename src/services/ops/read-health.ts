import { redactText } from '../../adapters/redact-text.ts'
import { schemaVersion } from '../../db/queries/ops.ts'
import type { BreakerReport } from '../../ports.ts'
import { SCHEMA_VERSION, VERSION } from '../../version.ts'
import type { ServiceContext, ServiceDeps } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import { outboxNow } from './read-outbox.ts'
import type { Health } from './schemas.ts'

/** What each dependency answered, by name. */
export type Checks = Record<string, { ok: boolean; detail: string | null }>

const TIMEOUT_MS = 2_000
const MAX_DETAIL = 300

/** What operators are told of dependencies; a client's error may hold an address with its password. */
export function describeChecks(checks: Checks, breakers: readonly BreakerReport[]): Health['dependencies'] {
  return Object.entries(checks).map(([name, { ok, detail }]) => ({
    name,
    state: ok ? ('ok' as const) : ('down' as const),
    detail: detail === null ? null : redactText(detail).slice(0, MAX_DETAIL),
    breaker: breakers.find((breaker) => breaker.name === name)?.state ?? null,
  }))
}

/** What runs, whether what it needs answers, and whether changes are told of. */
export async function readHealth(
  ctx: ServiceContext,
  deployment: { commit: string; probe(): Promise<Checks>; breakers(): readonly BreakerReport[] },
): Promise<Health> {
  requireOperator(ctx.actor)
  const [checks, actual, outbox] = await Promise.all([
    deployment.probe(),
    actualSchemaVersion(ctx),
    // A database that does not answer is one of the things that are told of.
    outboxNow(ctx, TIMEOUT_MS).catch(() => null),
  ])
  const isReady =
    Object.values(checks).every(({ ok }) => ok) && actual === SCHEMA_VERSION && outbox?.level !== 'critical'
  return {
    status: isReady ? 'ready' : 'degraded',
    version: VERSION,
    commit: deployment.commit,
    schemaVersion: { expected: SCHEMA_VERSION, actual },
    dependencies: describeChecks(checks, deployment.breakers()),
    outbox,
  }
}

/** `null` where the database does not answer. */
async function actualSchemaVersion({ db }: Pick<ServiceDeps, 'db'>): Promise<string | null> {
  try {
    const [row] = await db.outside(schemaVersion(), { timeoutMs: TIMEOUT_MS })
    return row?.version ?? null
  } catch {
    return null
  }
}
