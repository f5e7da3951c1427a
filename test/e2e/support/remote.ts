import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type HttpServer, listen, readBody, sendJson } from '../../../scripts/local/lib/http-server.ts'
import type { TestStack } from '../../harness/stack.ts'

export interface RemoteParts {
  clock: WorldClock
  /** What the stack has told so far; of the Worker's log, warnings and errors. */
  lines: string[]
}

/** Set to the moment at which the simulated platforms' clock is held; `null` while it runs. */
export interface WorldClock {
  heldAtMs: number | null
}

const MAX_BODY_BYTES = 10_000_000
/** The local stack gives a Worker up that ends more often than this by itself. */
const MAX_KILLS = 5
const KILL_WINDOW_MS = 61_000
const SqlRequest = z.object({ text: z.string(), params: z.array(z.unknown()).default([]) })
const OutageRequest = z.object({ downMs: z.number().int().max(60_000) })
const ClockRequest = z.object({ held: z.boolean() })

/**
 * Tests run in processes of their own; what only the stack's process can do, they ask for over HTTP:
 * `POST /sql`, `/clock`, `/kill-worker`, `/kill-sync`, `/kill-postgres`, `/kill-redis`, `/queue-idle`, `/log`.
 */
export function serveRemote(stack: TestStack, { clock, lines }: RemoteParts): Promise<HttpServer> {
  const actions: Record<string, (body: unknown) => Promise<unknown>> = {
    '/sql': async (body) => {
      const request = SqlRequest.parse(body)
      return stack.ownerSql(request.text, request.params)
    },
    '/clock': async (body) => {
      const { held } = ClockRequest.parse(body)
      clock.heldAtMs = held ? (clock.heldAtMs ?? Date.now()) : null
      return clock.heldAtMs
    },
    '/kill-worker': notTooOften(() => stack.killWorker()),
    '/kill-sync': notTooOften(() => stack.killSync()),
    '/kill-postgres': async (body) => stack.killPostgres(OutageRequest.parse(body).downMs),
    '/kill-redis': async (body) => stack.killRedis(OutageRequest.parse(body).downMs),
    '/queue-idle': async () => stack.qstash.idle(),
    '/log': async () => lines,
  }
  return listen(async (req, res) => {
    const action = actions[req.url ?? '']
    if (action === undefined) throw new Error(`There is no action ${req.url}`)
    const body = (await readBody(req, MAX_BODY_BYTES)).toString()
    sendJson(res, 200, (await action(body === '' ? {} : JSON.parse(body))) ?? null)
  })
}

/** A kill that waits where it would be one too many. */
function notTooOften(kill: () => Promise<void>): () => Promise<void> {
  const killedAtMs: number[] = []
  return async () => {
    const [oldest] = killedAtMs.splice(0, Math.max(0, killedAtMs.length - MAX_KILLS + 1)).slice(-1)
    await sleep(Math.max(0, (oldest ?? 0) + KILL_WINDOW_MS - Date.now()))
    killedAtMs.push(Date.now())
    await kill()
  }
}
