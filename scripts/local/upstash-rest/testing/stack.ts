import { Redis, type RedisConfigNodejs } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type RedisHandle, startRedis } from '../../redis.ts'
import { startUpstashRest, type UpstashRest } from '../index.ts'
import { type RedisKind, searchPathFor } from './redis-kinds.ts'

export const TOKEN = 'test-token'

export interface Stack {
  handle(): RedisHandle
  rest(): UpstashRest
  /** A vendor's client that sends each command by itself and never retries. */
  client(options?: Partial<RedisConfigNodejs>): Redis
}

/** Starts a Redis and the REST server before a suite, and gives each test an empty database. */
export function useStack(kind: RedisKind): Stack {
  let handle: RedisHandle | undefined
  let rest: UpstashRest | undefined
  const started = <Part>(part: Part | undefined): Part => {
    if (part === undefined) throw new Error('The stack has not been started')
    return part
  }
  const stack: Stack = {
    handle: () => started(handle),
    rest: () => started(rest),
    client: (options = {}) =>
      new Redis({
        url: started(rest).url,
        token: TOKEN,
        retry: false,
        enableAutoPipelining: false,
        enableTelemetry: false,
        ...options,
      }),
  }
  beforeAll(async () => {
    handle = await startRedis({ searchPath: searchPathFor(kind) })
    rest = await startUpstashRest({ token: TOKEN, redis: handle })
  })
  beforeEach(async () => {
    await stack.client().flushdb()
  })
  afterAll(async () => {
    await rest?.stop()
    await handle?.stop()
  })
  return stack
}
