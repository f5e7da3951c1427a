import { createLiveClient, type HubPosition, type LiveClient } from '../../../web/src/live/client.ts'
import type { LiveFrame } from '../../../web/src/live/frames.ts'
import type { CuttableNetwork } from './cuttable-network.ts'
import { issueTicket } from './live.ts'
import type { Person } from './people.ts'
import { SleepyClock } from './sleepy-clock.ts'
import { callBack, sql } from './stack.ts'
import { until } from './wait.ts'

/** What a page is told, in order. */
export type Told = { kind: 'event'; frame: LiveFrame } | { kind: 'resync'; at: HubPosition }

/** The dashboard's own client behind a network that fails, and all that it was told. */
export class Listener {
  readonly clock = new SleepyClock()
  readonly told: Told[] = []
  /** How often it was greeted. */
  connections = 0
  /** The highest generation that it was told of: changes of metrics that are told late have a lower one. */
  generation = 0
  readonly #client: LiveClient

  constructor(person: Person, network: CuttableNetwork, types?: readonly string[]) {
    this.#client = createLiveClient({
      getTicket: async () => ({ url: network.through((await issueTicket(person.key)).url) }),
      onEvent: (frame) => {
        this.told.push({ kind: 'event', frame })
        this.generation = Math.max(this.generation, frame.generation)
      },
      onResync: (at) => {
        this.told.push({ kind: 'resync', at })
        this.generation = Math.max(this.generation, at.generation)
      },
      onHello: () => {
        this.connections += 1
      },
      environment: { isOnline: () => true, isHidden: () => false, onChange: () => () => {} },
      // After many losses a page would wait for half a minute.
      random: () => Math.random() / 50,
      now: this.clock.now,
      setTimeout: this.clock.setTimeout,
      clearTimeout: this.clock.clearTimeout,
      ...(types !== undefined && { types }),
    })
  }

  get events(): LiveFrame[] {
    return this.told.flatMap((one) => (one.kind === 'event' ? [one.frame] : []))
  }

  get resyncs(): HubPosition[] {
    return this.told.flatMap((one) => (one.kind === 'resync' ? [one.at] : []))
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    this.#client.start()
    await this.untilLive()
  }

  async untilLive(): Promise<void> {
    await until('the client listens', async () => this.#client.state === 'live' || null, { everyMs: 20 })
  }

  stop(): void {
    this.#client.stop()
  }
}

/** Rows of the outbox as ingest writes them, old enough to be swept. @returns the last one's generation */
export async function writeEvents(
  { workspaceId }: Person,
  count: number,
  event: { type: string; data: unknown },
): Promise<number> {
  const [row] = await sql<{ generation: number }>(
    `WITH raised AS (
       UPDATE workspaces SET generation = generation + $2::int WHERE id = $1 RETURNING id, generation
     ), written AS (
       INSERT INTO outbox (workspace_id, generation, events, created_at)
       SELECT id, generation - $2::int + n, $3::jsonb, now() - interval '1 minute'
       FROM raised, generate_series(1, $2::int) n
     )
     SELECT generation::int AS generation FROM raised`,
    [workspaceId, count, JSON.stringify([event])],
  )
  if (row === undefined) throw new Error('There is no such workspace')
  return row.generation
}

/** As the queue calls it. @returns whether it was answered */
export async function sweep(): Promise<boolean> {
  try {
    return (await callBack('/callbacks/outbox/sweep', {})).ok
  } catch {
    return false
  }
}

/** Sweeps until nothing is left that could be swept. */
export async function sweepAll({ workspaceId }: Person): Promise<void> {
  await until(
    'every event is delivered',
    async () => {
      await sweep()
      const [row] = await sql<{ count: number }>(
        'SELECT count(*)::int FROM outbox WHERE workspace_id = $1 AND delivered_at IS NULL',
        [workspaceId],
      )
      return row?.count === 0 || null
    },
    { everyMs: 100 },
  )
}
