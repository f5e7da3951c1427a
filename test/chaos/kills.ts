import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../scripts/local/platforms/random.ts'
import type { TestStack } from '../harness/stack.ts'
import { nowAndThen } from './patience.ts'
import type { Toll } from './toll.ts'

/** From the end of one kill to the next. */
const LEAST_PAUSE_MS = 5_000
const MOST_PAUSE_MS = 20_000
/** How long Redis and Postgres are away. */
const LEAST_DOWN_MS = 100
const MOST_DOWN_MS = 5_000
/** The local stack gives a Worker up that ends six times within a minute. */
const BETWEEN_WORKER_KILLS_MS = 12_500
/** How often two are killed at once. */
const TWO = 0.25

type Victim = 'worker' | 'sync' | 'redis' | 'postgres'

const VICTIMS: readonly (readonly [Victim, number])[] = [
  ['worker', 2],
  ['sync', 3],
  ['redis', 3],
  ['postgres', 3],
]

/** Kills the Workers, Redis and Postgres now and then, until the signal says otherwise; all run when it resolves. */
export async function kill(stack: TestStack, random: Random, toll: Toll, signal: AbortSignal): Promise<void> {
  const killedMs = { worker: 0, sync: 0 }
  const one = async (victim: Victim): Promise<void> => {
    const downMs = random.int(LEAST_DOWN_MS, MOST_DOWN_MS)
    switch (victim) {
      case 'worker':
      case 'sync':
        await sleep(Math.max(0, killedMs[victim] + BETWEEN_WORKER_KILLS_MS - Date.now()))
        killedMs[victim] = Date.now()
        if (victim === 'sync') {
          toll.syncKills += 1
          return stack.killSync()
        }
        toll.workerKills += 1
        return stack.killWorker()
      case 'redis':
        toll.redisKills += 1
        return stack.killRedis(downMs)
      case 'postgres':
        toll.postgresKills += 1
        return stack.killPostgres(downMs)
    }
  }
  await nowAndThen(
    signal,
    () => random.int(LEAST_PAUSE_MS, MOST_PAUSE_MS),
    async () => {
      const victims = new Set([random.pickWeighted(VICTIMS)])
      if (random.chance(TWO)) victims.add(random.pickWeighted(VICTIMS))
      await Promise.all([...victims].map(one))
    },
  )
}
