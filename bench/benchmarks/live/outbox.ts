import { signDelivery } from '../../../scripts/local/qstash/signing.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { BenchStack } from '../../lib/stack.ts'

const SWEEP = '/callbacks/outbox/sweep'
/** One that is not made one with others, as changes of metrics are. */
const EVENT = { type: 'trending.updated', data: { scope: 'workspace', windows: ['24h'] } }

/** Where events are swept: the Worker of the stack, or another one with its database. */
export type Sweeper = Pick<BenchStack, 'url' | 'publicUrl' | 'bindings' | 'ownerSql'>

/**
 * Has events delivered as those are that a crash left behind: generations are raised and rows written as ingest does
 * it, and the queue's call to sweep delivers all of them at once.
 */
export async function deliverEvents(at: Sweeper, workspaceId: string, events: number): Promise<void> {
  await at.ownerSql(
    `WITH raised AS (
       UPDATE workspaces SET generation = generation + $2::int WHERE id = $1 RETURNING id, generation
     )
     INSERT INTO outbox (workspace_id, generation, events, created_at)
     SELECT id, generation - $2::int + n, $3::jsonb, now() - interval '1 minute'
     FROM raised, generate_series(1, $2::int) n`,
    [workspaceId, events, JSON.stringify([EVENT])],
  )
  await sweep(at)
}

async function sweep({ url, publicUrl, bindings }: Sweeper): Promise<void> {
  const body = '{}'
  const signature = signDelivery({
    url: `${publicUrl}${SWEEP}`,
    body: Buffer.from(body),
    key: bindings.QSTASH_CURRENT_SIGNING_KEY ?? '',
    nowMs: Date.now(),
  })
  const response = await fetch(`${url}${SWEEP}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'upstash-signature': signature },
  })
  assertMeasured(response.ok, `the sweep answers ${response.status}: ${await response.text()}`)
}
