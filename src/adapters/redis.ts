import { Redis } from '@upstash/redis'

/** A read that waits longer for the cache than this would rather ask the database. */
export const READ_REDIS_TIMEOUT_MS = 250
export const REDIS_TIMEOUT_MS = 1_000

/**
 * A Redis client that gives up after `timeoutMs` and never tries again: callers know better what to do than
 * to wait. Values stay the text they are.
 */
export function createRedis(options: { url: string; token: string; timeoutMs: number }): Redis {
  return new Redis({
    url: options.url,
    token: options.token,
    retry: false,
    automaticDeserialization: false,
    enableTelemetry: false,
    // A function: with a plain signal the client would make up an answer when it is aborted.
    signal: () => AbortSignal.timeout(options.timeoutMs),
  })
}
