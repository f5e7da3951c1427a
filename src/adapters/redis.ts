import { errors, Redis } from '@upstash/redis/cloudflare'
import type { Breaker } from '../resilience/breaker.ts'

/** A read that waits longer for the cache than this would rather ask the database. */
export const READ_REDIS_TIMEOUT_MS = 250
export const REDIS_TIMEOUT_MS = 1_000

/**
 * A Redis client that gives up after `timeoutMs` and never tries again: callers know better what to do than
 * to wait. Values stay the text they are.
 * @param options.breaker every request passes through it; while it is open they reject at once
 */
export function createRedis(options: {
  url: string
  token: string
  timeoutMs: number
  breaker?: Breaker
}): Redis {
  const { breaker } = options
  const redis = new Redis({
    url: options.url,
    token: options.token,
    retry: false,
    automaticDeserialization: false,
    enableTelemetry: false,
    // A function: with a plain signal the client would make up an answer when it is aborted.
    signal: () => AbortSignal.timeout(options.timeoutMs),
  })
  redis.use(async (request, next) => {
    try {
      return await next(request)
    } catch (error) {
      throw withoutCommand(error)
    }
  })
  if (breaker !== undefined) redis.use((request, next) => breaker.run(() => next(request), isOutage))
  return redis
}

/** In a message up to its end; in a stack, which begins with the message, up to the first frame. */
const COMMAND = /,? command was: .*?(?=\n {4}at |$)/s

/**
 * The client's errors hold the command with all that it was to store, which is nobody's to read in a log. Workerd has
 * written the stack by then, Node writes it when it is asked for.
 */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof errors.UpstashError)) return error
  const { message, stack } = error
  error.message = message.replace(COMMAND, '')
  if (stack !== undefined) error.stack = stack.replace(COMMAND, '')
  return error
}

/** A script that Redis does not have yet is sent along next: that is no outage. */
function isOutage(error: unknown): boolean {
  return !(error instanceof Error && error.message.includes('NOSCRIPT'))
}
