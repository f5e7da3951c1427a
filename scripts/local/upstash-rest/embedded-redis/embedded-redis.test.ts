import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type RedisHandle, startRedis } from '../../redis.ts'
import { Engine } from './engine.ts'
import { Keyspace } from './keyspace.ts'
import { Status } from './reply.ts'
import { ProtocolError, RequestParser, serializeReply } from './resp.ts'
import { SortedSet } from './sorted-set.ts'

const words = (text: string) => text.split(' ')

describe('the embedded Redis', () => {
  let handle: RedisHandle | undefined
  afterEach(async () => {
    await handle?.stop()
    handle = undefined
  })

  it('serves ioredis as a Redis server does', async () => {
    handle = await startRedis({ searchPath: '' })
    const connection = handle.createConnection()
    expect(handle.kind).toBe('embedded')
    await connection.hset('hash', { a: '1', b: 'é' })
    expect(await connection.hgetall('hash')).toEqual({ a: '1', b: 'é' })
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    await connection.set('bytes', bytes)
    expect(await connection.getBuffer('bytes')).toEqual(bytes)
    expect(await connection.multi().incr('n').get('n').exec()).toEqual([
      [null, 1],
      [null, '1'],
    ])
    expect(await connection.quit()).toBe('OK')
  })

  it('refuses commands without the password', async () => {
    handle = await startRedis({ searchPath: '' })
    const { port, password } = handle.createConnection().options
    expect(password).toMatch(/^[\w-]{32}$/)
    const stranger = handle.createConnection({
      password: 'wrong',
      port: port ?? 0,
      retryStrategy: () => null,
    })
    await expect(stranger.ping()).rejects.toThrow()
  })

  it('gives every instance keys of its own, and forgets them when it stops', async () => {
    handle = await startRedis({ searchPath: '' })
    await handle.createConnection().set('key', 'value')
    const other = await startRedis({ searchPath: '' })
    expect(await other.createConnection().get('key')).toBeNull()
    await other.stop()
    await other.stop()
  })
})

describe('expiry', () => {
  it('hides a key at its time, to the millisecond, and frees it without being asked', () => {
    let nowMs = 1_000_000
    const keyspace = new Keyspace(() => nowMs)
    const engine = new Engine(keyspace)
    engine.execute(words('SET key value PX 500'))
    engine.execute(words('HSET hash a 1'))
    engine.execute(words('EXPIRE hash 1'))
    nowMs += 499
    expect(engine.execute(words('PTTL key'))).toBe(1)
    nowMs += 1
    expect(engine.execute(words('EXISTS key hash'))).toBe(1)
    expect(engine.execute(words('TTL hash'))).toBe(1)
    nowMs += 500
    engine.sweepExpired()
    expect(engine.execute(words('DBSIZE'))).toBe(0)
    expect(engine.execute(words('HGET hash a'))).toBeNull()
  })

  it('keeps the expiry of a container that is changed, and drops it with the last element', () => {
    const engine = new Engine(new Keyspace(() => 0))
    engine.execute(words('HSET hash a 1'))
    engine.execute(words('PEXPIRE hash 100'))
    engine.execute(words('HSET hash b 2'))
    expect(engine.execute(words('PTTL hash'))).toBe(100)
    engine.execute(words('HDEL hash a b'))
    engine.execute(words('HSET hash c 3'))
    expect(engine.execute(words('PTTL hash'))).toBe(-1)
  })
})

describe('scripts', () => {
  it('are ended after their time limit, and leave the rest working', async () => {
    const engine = new Engine()
    await engine.loadScripting({ timeLimitMs: 200 })
    expect(() => engine.execute(['EVAL', 'while true do end', '0'])).toThrow(/ran longer than 200 ms/)
    const catching = 'while true do pcall(function() while true do end end) end'
    expect(() => engine.execute(['EVAL', catching, '0'])).toThrow(/ran longer than 200 ms/)
    expect(engine.execute(['EVAL', 'return 1', '0'])).toBe(1)
  })

  it('carry bytes that are no text', async () => {
    const engine = new Engine()
    await engine.loadScripting()
    const bytes = '\x00\xff\x80\r\n'
    expect(engine.execute(['EVAL', 'return { ARGV[1], #ARGV[1] }', '0', bytes])).toEqual([bytes, 5])
  })

  it('may not write when they are read-only', async () => {
    const engine = new Engine()
    await engine.loadScripting()
    const write = "return redis.call('set', KEYS[1], 1)"
    expect(() => engine.execute(['EVAL_RO', write, '1', 'key'])).toThrow(
      /^ERR Write commands are not allowed/,
    )
    expect(engine.execute(['EVAL', write, '1', 'key'])).toBeInstanceOf(Status)
  })
})

describe('the protocol', () => {
  const encode = (request: readonly string[]) => Buffer.from(serializeReply([...request]), 'latin1')

  it('is read the same however the bytes arrive', () => {
    const request = fc.array(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString('latin1')),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    fc.assert(
      fc.property(fc.array(request, { maxLength: 4 }), fc.array(fc.nat(40)), (requests, sizes) => {
        const bytes = Buffer.concat(requests.map(encode))
        const parser = new RequestParser()
        const parsed: string[][] = []
        let offset = 0
        for (const size of [...sizes, bytes.length]) {
          parsed.push(...parser.push(bytes.subarray(offset, offset + size)))
          offset += size
        }
        expect(parsed).toEqual(requests)
      }),
      { numRuns: 100 },
    )
  })

  it('refuses what is no request', () => {
    expect(() => new RequestParser().push(Buffer.from('GET / HTTP/1.1\r\n'))).toThrow(ProtocolError)
    expect(() => new RequestParser().push(Buffer.from('*1\r\n$x\r\n'))).toThrow(ProtocolError)
  })
})

describe('a sorted set', () => {
  it('is always in order of score and member', () => {
    const change = fc.record({
      member: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      score: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const sorted = new SortedSet()
        const model = new Map<string, number>()
        for (const { member, score } of changes) {
          if (score === undefined) expect(sorted.delete(member)).toBe(model.delete(member))
          else {
            sorted.set(member, score)
            model.set(member, score)
          }
        }
        const expected = [...model]
          .map(([member, score]) => ({ member, score }))
          .sort((left, right) => left.score - right.score || (left.member < right.member ? -1 : 1))
        expect(sorted.ordered).toEqual(expected)
        for (const [rank, { member }] of expected.entries()) expect(sorted.rank(member)).toBe(rank)
        const { start, end } = sorted.scoreSpan(
          { score: -1, exclusive: false },
          { score: 2, exclusive: true },
        )
        expect(expected.slice(start, end)).toEqual(expected.filter(({ score }) => score >= -1 && score < 2))
      }),
    )
  })
})
