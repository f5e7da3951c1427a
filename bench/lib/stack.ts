import { z } from 'zod'
import type { WorldChoice } from '../../scripts/local/stack/stand-ins.ts'
import { createDb, type Db } from '../../src/db/client.ts'
import { startStack, type TestStack } from '../../test/harness/stack.ts'

export interface BenchStack extends TestStack {
  /** As the Worker sees it. */
  db: Db
  /** What the Worker warned of so far, and how often: of a Worker that struggles, figures say other things. */
  warnings(): string[]
}

/** As many as no benchmark reaches: limits are counted as always, and refuse nobody. */
const RATE_LIMITS = 'reads=1000000000/60,writes=1000000/60,sign-up=1000000/60'

const WORKER_LINE = /^(?:sync )?Worker: /

const LogLine = z.object({ message: z.string() })

/** The message of a structured line; any other line as it is. */
function messageOf(line: string): string {
  try {
    return LogLine.parse(JSON.parse(line)).message
  } catch {
    return line
  }
}

/**
 * Starts the whole local stack with a workspace that has no accounts; limits are raised, not switched off.
 * @param world what is to be otherwise of the simulated platforms
 */
export async function startBenchStack(
  resources: AsyncDisposableStack,
  world: Omit<WorldChoice, 'now'> = {},
): Promise<BenchStack> {
  // Plans come once a minute: nothing here is to be synced while it is measured.
  const warnings = new Map<string, number>()
  const stack = await startStack({
    env: { RATE_LIMITS },
    world,
    log(line) {
      if (!WORKER_LINE.test(line)) return
      const warning = messageOf(line.replace(WORKER_LINE, ''))
      warnings.set(warning, (warnings.get(warning) ?? 0) + 1)
    },
  })
  resources.defer(() => stack.stop())
  const { DATABASE_URL = '', NEON_FETCH_ENDPOINT } = stack.bindings
  const db = createDb({ connectionString: DATABASE_URL, fetchEndpoint: NEON_FETCH_ENDPOINT })
  return {
    ...stack,
    db,
    warnings: () => [...warnings].map(([warning, times]) => `${times} × ${warning}`),
  }
}

const RedisReply = z.object({ result: z.unknown() })

/** Sends a command to the stack's Redis, as the Worker would. @throws when it is refused. */
export async function redisCommand(stack: TestStack, command: string[]): Promise<unknown> {
  const { UPSTASH_REDIS_REST_URL = '', UPSTASH_REDIS_REST_TOKEN = '' } = stack.bindings
  const response = await fetch(UPSTASH_REDIS_REST_URL, {
    method: 'POST',
    headers: { authorization: `Bearer ${UPSTASH_REDIS_REST_TOKEN}` },
    body: JSON.stringify(command),
  })
  if (!response.ok) throw new Error(`Redis refuses ${command[0]}: ${response.status}`)
  return RedisReply.parse(await response.json()).result
}
