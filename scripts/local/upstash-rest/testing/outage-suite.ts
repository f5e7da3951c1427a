import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Redis } from '@upstash/redis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findRedisServer, type RedisHandle, startRedis } from '../../redis.ts'
import { startUpstashRest, type UpstashRest } from '../index.ts'
import { type MortalRedis, mortalRedis, type RedisKind } from './redis-kinds.ts'
import { TOKEN } from './stack.ts'

/** What clients see while Redis is down, hangs, or has been away. */
export function describeOutages(kind: RedisKind): void {
  describe(`outages of ${kind}`, () => {
    let redis: MortalRedis
    let relay: Relay
    let handle: RedisHandle
    let rest: UpstashRest
    const logged: string[] = []

    const client = (options: { timeoutMs?: number } = {}) => {
      const { timeoutMs } = options
      return new Redis({
        url: rest.url,
        token: TOKEN,
        retry: false,
        enableAutoPipelining: false,
        ...(timeoutMs !== undefined && { signal: () => AbortSignal.timeout(timeoutMs) }),
      })
    }

    beforeEach(async () => {
      logged.length = 0
      redis = await mortalRedis(kind, findRedisServer())
      await redis.start()
      relay = await startRelay(redis.port)
      const url = redis.url.replace(`:${redis.port}`, `:${relay.port}`)
      handle = await startRedis({ url, log: (message) => logged.push(message) })
      rest = await startUpstashRest({ token: TOKEN, redis: handle })
    })

    afterEach(async () => {
      await rest.stop()
      await handle.stop()
      await relay.stop()
      await redis.kill()
    })

    it('fails at once while Redis is down, and works again when it is back', async () => {
      await client().set('key', 'value')
      await redis.kill()
      const startedAt = performance.now()
      await expect(client().get('key')).rejects.toThrow()
      await expect(client().pipeline().get('key').get('key').exec()).rejects.toThrow()
      await expect(client().multi().get('key').exec()).rejects.toThrow()
      expect(performance.now() - startedAt).toBeLessThan(1000)
      const answer = await fetch(`${rest.url}/get/key`, { headers: { authorization: `Bearer ${TOKEN}` } })
      expect(answer.status).toBe(503)
      await redis.start()
      await expect.poll(() => client().set('key', 'again'), { timeout: 5000, interval: 50 }).toBe('OK')
      expect(logged.filter((message) => message === 'Redis answers again')).toHaveLength(1)
    })

    it('fails within a second while Redis hangs, and works again when it goes on', async () => {
      relay.stall()
      const startedAt = performance.now()
      await expect(client().incr('count')).rejects.toThrow(/^ERR Redis is unavailable: Command timed out/)
      expect(performance.now() - startedAt).toBeLessThan(1000)
      relay.resume()
      await expect.poll(() => client().ping(), { timeout: 5000, interval: 50 }).toBe('PONG')
    })

    it('never repeats a command whose answer was lost', async () => {
      relay.stall()
      const lost = client().incr('count')
      lost.catch(() => {})
      await expect.poll(() => relay.heldBytes(), { timeout: 2000, interval: 10 }).toBeGreaterThan(0)
      relay.deliverThenBreak()
      await expect(lost).rejects.toThrow()
      await expect.poll(() => client().get('count'), { timeout: 5000, interval: 50 }).toBe(1)
    })

    it('lets a client give up after 250 ms', async () => {
      relay.stall()
      const startedAt = performance.now()
      await expect(client({ timeoutMs: 250 }).get('key')).rejects.toThrow(
        expect.objectContaining({ name: 'TimeoutError' }),
      )
      const elapsedMs = performance.now() - startedAt
      expect(elapsedMs).toBeGreaterThan(240)
      expect(elapsedMs).toBeLessThan(800)
      relay.resume()
      expect(await client({ timeoutMs: 2000 }).ping()).toBe('PONG')
    })

    it('refuses to start on an address where no Redis answers, without naming the password', async () => {
      await redis.kill()
      await expect(startRedis({ url: redis.url })).rejects.toThrow(
        `No Redis answers at 127.0.0.1:${redis.port}`,
      )
    })

    it('leaves an external Redis and its data alone when it stops', async () => {
      await client().set('kept', 'yes')
      await rest.stop()
      await handle.stop()
      const again = await startRedis({ url: redis.url })
      const connection = again.createConnection()
      expect(await connection.get('kept')).toBe('yes')
      expect(again.kind).toBe('external')
      await again.stop()
    })
  })
}

interface Relay {
  port: number
  /** Keeps what clients send to itself. */
  stall(): void
  resume(): void
  heldBytes(): number
  /** Passes on what was held, but breaks the connection before the answer comes. */
  deliverThenBreak(): void
  stop(): Promise<void>
}

/** A wire to Redis that can be held. */
async function startRelay(targetPort: number): Promise<Relay> {
  const pairs = new Set<{ client: Socket; target: Socket; held: Buffer[] }>()
  let isStalled = false
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    const pair = { client, target, held: [] as Buffer[] }
    pairs.add(pair)
    client.on('data', (chunk) => (isStalled ? pair.held.push(chunk) : target.write(chunk)))
    target.on('data', (chunk) => client.destroyed || client.write(chunk))
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        if (other === client) client.destroy()
        else target.end()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  const release = () => {
    isStalled = false
    for (const { target, held } of pairs) for (const chunk of held.splice(0)) target.write(chunk)
  }
  return {
    port: address.port,
    stall: () => {
      isStalled = true
    },
    resume: release,
    heldBytes: () => [...pairs].flatMap(({ held }) => held).reduce((sum, chunk) => sum + chunk.length, 0),
    deliverThenBreak: () => {
      const clients = [...pairs].map(({ client }) => client)
      release()
      for (const client of clients) client.destroy()
    },
    stop: async () => {
      for (const { client, target } of pairs) {
        client.destroy()
        target.destroy()
      }
      server.close()
      await once(server, 'close')
    },
  }
}
