import { describe, expect, it } from 'vitest'
import type { RedisKind } from './redis-kinds.ts'
import { useStack } from './stack.ts'

/** The commands of `@upstash/redis`, through that client. */
export function describeCommands(kind: RedisKind): void {
  describe(`@upstash/redis commands over ${kind}`, () => {
    const stack = useStack(kind)

    it('starts the kind that was asked for', () => {
      expect(stack.handle().kind).toBe(kind)
    })

    it('sets only what is absent with nx and only what is present with xx', async () => {
      const redis = stack.client()
      expect(await redis.set('key', 'first', { nx: true })).toBe('OK')
      expect(await redis.set('key', 'second', { nx: true })).toBeNull()
      expect(await redis.set('other', 'x', { xx: true })).toBeNull()
      expect(await redis.set('key', 'third', { xx: true, get: true })).toBe('first')
      expect(await redis.get('key')).toBe('third')
    })

    it('lets keys expire after ex seconds and px milliseconds', async () => {
      const redis = stack.client()
      await redis.set('long', 1, { ex: 100 })
      expect(await redis.ttl('long')).toBe(100)
      await redis.set('short', 1, { px: 60 })
      expect(await redis.pttl('short')).toBeGreaterThan(0)
      await expect.poll(() => redis.get('short'), { timeout: 2000 }).toBeNull()
      await redis.set('long', 2, { keepTtl: true })
      expect(await redis.ttl('long')).toBeGreaterThan(90)
      await redis.set('long', 3)
      expect(await redis.ttl('long')).toBe(-1)
    })

    it('gives back JSON values as what they were', async () => {
      const redis = stack.client()
      const value = { name: 'Ada', tags: ['a', 'b'], nested: { count: 3, none: null, yes: true } }
      await redis.set('object', value)
      expect(await redis.get('object')).toEqual(value)
      await redis.set('number', 42)
      expect(await redis.get('number')).toBe(42)
      await redis.set('text', 'OK')
      expect(await redis.get('text')).toBe('OK')
      const plain = stack.client({ automaticDeserialization: false })
      expect(await plain.get('object')).toBe(JSON.stringify(value))
    })

    it('counts', async () => {
      const redis = stack.client()
      expect(await redis.incr('count')).toBe(1)
      expect(await redis.incrby('count', 41)).toBe(42)
      expect(await redis.decr('count')).toBe(41)
      expect(await redis.incrbyfloat('amount', 0.1)).toBe(0.1)
      expect(await redis.incrbyfloat('amount', 0.2)).toBe(0.3)
    })

    it('keeps hashes', async () => {
      const redis = stack.client()
      expect(await redis.hset('hash', { a: 1, b: { c: 2 }, text: 'x' })).toBe(3)
      expect(await redis.hget('hash', 'b')).toEqual({ c: 2 })
      expect(await redis.hgetall('hash')).toEqual({ a: 1, b: { c: 2 }, text: 'x' })
      expect(await redis.hmget('hash', 'a', 'missing')).toEqual({ a: 1, missing: null })
      expect(await redis.hincrby('hash', 'a', 4)).toBe(5)
      expect(await redis.hdel('hash', 'a', 'b', 'text')).toBe(3)
      expect(await redis.hgetall('hash')).toBeNull()
      expect(await redis.exists('hash')).toBe(0)
    })

    it('keeps sorted sets and ranges over them by score', async () => {
      const redis = stack.client()
      await redis.zadd('scores', { score: 1, member: 'a' }, { score: 2.5, member: 'b' })
      await redis.zadd('scores', { score: 3, member: 'c' }, { score: 4, member: 'd' })
      expect(await redis.zadd('scores', { gt: true, ch: true }, { score: 1.5, member: 'b' })).toBe(0)
      expect(await redis.zrange('scores', 2, 3, { byScore: true })).toEqual(['b', 'c'])
      expect(await redis.zrange('scores', '(2.5', '+inf', { byScore: true, withScores: true })).toEqual([
        'c',
        3,
        'd',
        4,
      ])
      expect(
        await redis.zrange('scores', '+inf', '-inf', { byScore: true, rev: true, offset: 1, count: 2 }),
      ).toEqual(['c', 'b'])
      expect(await redis.zremrangebyscore('scores', '-inf', '(3')).toBe(2)
      expect(await redis.zrange('scores', 0, -1)).toEqual(['c', 'd'])
      expect(await redis.zincrby('scores', 10, 'c')).toBe(13)
      expect(await redis.zrank('scores', 'c')).toBe(1)
      expect(await redis.zscore('scores', 'missing')).toBeNull()
      expect(await redis.zcount('scores', '-inf', '+inf')).toBe(2)
    })

    it('keeps lists and sets', async () => {
      const redis = stack.client()
      await redis.rpush('list', 'a', 'b', 'c')
      await redis.lpush('list', 'z')
      expect(await redis.lrange('list', 0, -1)).toEqual(['z', 'a', 'b', 'c'])
      expect(await redis.lpop('list', 2)).toEqual(['z', 'a'])
      await redis.sadd('set', 'x', 'y')
      expect((await redis.smembers('set')).sort()).toEqual(['x', 'y'])
      expect(await redis.smismember('set', ['x', 'q'])).toEqual([1, 0])
    })

    it('scans all keys that match', async () => {
      const redis = stack.client()
      await redis.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k:${index}`, index])))
      await redis.set('other', 1)
      const found = new Set<string>()
      let cursor = '0'
      do {
        const [next, keys] = await redis.scan(cursor, { match: 'k:*', count: 10 })
        for (const key of keys) found.add(key)
        cursor = next
      } while (cursor !== '0')
      expect(found.size).toBe(50)
    })

    it('carries every character and large values unchanged', async () => {
      const redis = stack.client()
      const text = 'naïve – 日本語 – 👩‍👩‍👧‍👦 – "quotes" \\ \u0000 \r\n\t'
      await redis.set(text, text)
      expect(await redis.get(text)).toBe(text)
      await redis.hset('hash', { [text]: text })
      expect(await redis.hgetall('hash')).toEqual({ [text]: text })
      const large = `${text}${'é'.repeat(1_000_000)}`
      await redis.set('large', large)
      expect(await redis.get('large')).toBe(large)
    })

    it('answers a pipeline command by command, errors included', async () => {
      const redis = stack.client()
      const results = await redis
        .pipeline()
        .set('text', 'abc')
        .incr('text')
        .get('text')
        .incr('number')
        .exec({ keepErrors: true })
      expect(results[0]).toEqual({ error: undefined, result: 'OK' })
      expect(results[1]?.error).toBe('ERR value is not an integer or out of range')
      expect(results[2]?.result).toBe('abc')
      expect(results[3]?.result).toBe(1)
    })

    it('bundles commands of one tick into a pipeline', async () => {
      const redis = stack.client({ enableAutoPipelining: true })
      const values = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await redis.set(`auto:${index}`, { index })
          return redis.get<{ index: number }>(`auto:${index}`)
        }),
      )
      expect(values.map((value) => value?.index)).toEqual(Array.from({ length: 20 }, (_, index) => index))
    })

    it('runs a transaction whole, and goes on after a command that fails', async () => {
      const redis = stack.client()
      const transaction = redis.multi().set('text', 'abc').incr('text').incr('number').get('text')
      const results = await transaction.exec({ keepErrors: true })
      expect(results.map(({ result }) => result)).toEqual(['OK', undefined, 1, 'abc'])
      expect(results[1]?.error).toBe('ERR value is not an integer or out of range')
    })

    it('discards a transaction of which one command is malformed', async () => {
      const redis = stack.client()
      const transaction = redis.multi().set('key', 'value')
      transaction.mset({})
      await expect(transaction.exec()).rejects.toThrow(/EXECABORT .*wrong number of arguments for 'mset'/)
      expect(await redis.exists('key')).toBe(0)
    })

    it('lets no other command come between those of a transaction', async () => {
      const redis = stack.client()
      const rounds = Array.from({ length: 30 }, async () => {
        const [before, after] = await redis
          .multi()
          .incrby('counter', 1)
          .incrby('counter', 1)
          .exec<[number, number]>()
        return after - before
      })
      expect(await Promise.all(rounds)).toEqual(rounds.map(() => 1))
    })

    it('reports a wrong type and a syntax error in Redis’s words', async () => {
      const redis = stack.client()
      await redis.set('text', 'abc')
      await expect(redis.hget('text', 'a')).rejects.toThrow(
        'WRONGTYPE Operation against a key holding the wrong kind of value, command was: ["hget","text","a"]',
      )
      await expect(redis.set('key', 'value', { ex: 0 })).rejects.toThrow(
        "ERR invalid expire time in 'set' command",
      )
      await expect(redis.eval('return (', [], [])).rejects.toThrow('ERR Error compiling script')
    })

    it('refuses a wrong token', async () => {
      await expect(stack.client({ token: 'wrong' }).get('key')).rejects.toThrow('Unauthorized')
    })
  })
}
