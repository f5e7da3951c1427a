import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findRedisServer, type RedisHandle, startRedis } from '../../redis.ts'

/** One group of commands, run in order on an empty database. */
const CONVERSATIONS: Record<string, string> = {
  'strings and SET options': `
    SET a 1 | SET a 2 NX | SET a 2 nx | SET a 2 XX PX 10000 | TTL a | SET a 3 GET | SET a 3 EX 0 | SET a 3 FOO
    SET a 3 NX XX | SET a 3 EX 1 PX 1 | SET a 3 EX | SET a | SET a 4 KEEPTTL | SET b 1 EXAT 9999999999
    EXPIRETIME b | PEXPIRETIME b | GET a | GET missing | GET | INCR a | INCRBY a 5 | INCRBY a x | INCRBY a 1.5
    DECR a | DECRBY a 3 | INCRBYFLOAT f 0.1 | INCRBYFLOAT f 0.2 | INCRBYFLOAT f x | INCRBYFLOAT f 1e3 | SET s hello
    INCR s | INCRBYFLOAT s 1 | APPEND s , | STRLEN s | STRLEN missing | GETRANGE s 0 -2 | GETRANGE s 1 2
    GETRANGE s 5 1 | GETRANGE s -100 100 | GETRANGE missing 0 1 | SETRANGE s 2 XX | SETRANGE p 3 x | GET p
    SETRANGE s -1 x | SETRANGE missing 5 | GETSET s new | GETDEL s | GETDEL s | SETEX k 0 v | SETEX k 10 v
    PSETEX k -1 v | SETNX k v | SETNX n v | MSET x 1 y 2 | MSET x 1 y | MSETNX x 1 z 2 | MSETNX q 1 z 2
    MGET x y missing k | GETEX k PERSIST | TTL k | GETEX k EX 50 | TTL k | GETEX k FOO | GETEX k | HSET h f v
    GET h | MGET h x | GETSET h x | APPEND h x | SET h now | TYPE h`,
  'keys and expiry': `
    SET a 1 | EXPIRE a 100 | EXPIRE a 200 NX | EXPIRE a 50 GT | EXPIRE a 300 GT | EXPIRE a 20 LT | TTL a
    EXPIRE a 5 NX XX | EXPIRE a 5 GT LT | EXPIRE a 5 FOO | EXPIRE a x | PEXPIRE a 100.5 | EXPIRE missing 3
    PERSIST a | PERSIST a | TTL a | TTL missing | EXPIRE a 10 XX | EXPIRE a 10 GT | EXPIRE a 10 LT | TTL a
    EXPIRETIME missing | EXISTS a a missing | TOUCH a missing | TYPE a | TYPE missing | RENAME missing x
    RENAME a b | TTL b | EXISTS a | SET a 1 | RENAMENX a b | RENAMENX a c | COPY b d | COPY b d | COPY b d REPLACE
    COPY b b | TTL d | KEYS * | KEYS [bc] | KEYS ? | KEYS [^b] | KEYS [a-c] | DBSIZE | SCAN 0 MATCH b COUNT 100
    SCAN 0 TYPE hash COUNT 100 | SCAN x | SCAN 0 COUNT 0 | SCAN 0 FOO | DEL b missing | UNLINK c | EXPIRE d -1
    EXISTS d | EXPIREAT d 1 | SET e 1 | PEXPIREAT e 1 | EXISTS e | FLUSHALL | DBSIZE | RANDOMKEY | PING | PING hi
    ECHO hi | ECHO | FOO bar | SELECT 0 | SELECT x`,
  hashes: `
    HSET h a 1 b 2 | HSET h a 5 c 3 | HSET h a | HSET h | HGET h a | HGET h missing | HGETALL h | HGETALL missing
    HMGET h a missing b | HMGET missing a | HINCRBY h a 4 | HINCRBY h n 4 | HINCRBY h a x | HSET h t text
    HINCRBY h t 1 | HINCRBYFLOAT h n 1.5 | HINCRBYFLOAT h t 1 | HKEYS h | HVALS h | HLEN h | HEXISTS h c
    HEXISTS h missing | HSETNX h c 9 | HSETNX h new 9 | HSTRLEN h t | HSTRLEN h missing | HMSET h z 1 | HMSET h z
    HSCAN h 0 MATCH a | HSCAN missing 0 | HDEL h a b missing | HDEL h c n t new z | EXISTS h | SET s x | HSET s f v
    HGET s f | HRANDFIELD missing | HRANDFIELD missing 3 | HSET one f v | HRANDFIELD one | HRANDFIELD one -2
    HRANDFIELD one 2 WITHVALUES | HRANDFIELD one 2 FOO`,
  lists: `
    LPUSH l a b c | RPUSH l d | LRANGE l 0 -1 | LRANGE l -2 -1 | LRANGE l 2 1 | LRANGE missing 0 -1 | LLEN l
    LPUSHX missing x | RPUSHX l e | LPOP l | RPOP l 2 | LPOP l 0 | LPOP missing | LPOP missing 2 | LPOP l -1 | LPOP l x
    LINDEX l 0 | LINDEX l -1 | LINDEX l 9 | LSET l 0 z | LSET l 9 x | LSET missing 0 x | RPUSH m a b a c a
    LREM m 2 a | LRANGE m 0 -1 | RPUSH m a a | LREM m -2 a | LRANGE m 0 -1 | LREM m 0 a | LREM m 0 x
    LINSERT m BEFORE c n | LINSERT m AFTER missing n | LINSERT missing AFTER c n | LINSERT m NEAR c n | LRANGE m 0 -1
    LTRIM m 0 1 | LRANGE m 0 -1 | LTRIM m 5 9 | EXISTS m | RPUSH p a b a c a | LPOS p a | LPOS p a RANK 2
    LPOS p a RANK -1 | LPOS p a COUNT 0 | LPOS p a COUNT 2 MAXLEN 3 | LPOS p x | LPOS p x COUNT 1 | LPOS p a RANK 0
    LMOVE p q LEFT RIGHT | LMOVE p q RIGHT LEFT | LMOVE p q UP LEFT | LMOVE missing q LEFT LEFT | LRANGE q 0 -1
    RPOPLPUSH p q | RPOPLPUSH p p | LRANGE p 0 -1 | SET s x | LPUSH s a | LRANGE s 0 1 | LPUSH l`,
  sets: `
    SADD s a b c | SADD s a | SMEMBERS s | SISMEMBER s a | SISMEMBER missing a | SMISMEMBER s a q | SREM s a q
    SCARD s | SADD t b x | SUNION s t | SINTER s t | SDIFF s t | SINTER s missing | SUNIONSTORE u s t | SCARD u
    SINTERSTORE u s missing | EXISTS u | SDIFFSTORE u s t | SMEMBERS u | SINTERCARD 2 s t | SINTERCARD 2 s t LIMIT 1
    SINTERCARD 0 s | SINTERCARD 9 s | SMOVE s t c | SMOVE s t missing | SMEMBERS t | SPOP missing | SPOP missing 2
    SPOP t 9 | EXISTS t | SADD one m | SRANDMEMBER one | SRANDMEMBER one -3 | SRANDMEMBER missing | SPOP one
    SSCAN s 0 | SSCAN s 0 MATCH x | SET str x | SADD str a | SINTER str s | SUNIONSTORE d str s | SPOP s -1 | SPOP s x`,
  'sorted sets': `
    ZADD z 1 a 2 b 3 c | ZADD z XX CH 5 a 6 nope | ZADD z NX 9 a 4 d | ZADD z GT 1 a | ZADD z GT CH 10 a
    ZADD z LT CH 7 a | ZADD z INCR 2 a | ZADD z XX INCR 2 nope | ZADD z NX XX 1 a | ZADD z GT LT 1 a
    ZADD z INCR 1 a 2 b | ZADD z x a | ZADD z 1 a 2 | ZADD z nan a | ZSCORE z a | ZSCORE z q | ZMSCORE z a q
    ZCARD z | ZRANK z a | ZREVRANK z a | ZRANK z q | ZRANGE z 0 -1 | ZRANGE z 0 -1 WITHSCORES | ZRANGE z -2 -1
    ZRANGE z 5 9 | ZRANGE z 0 1 REV | ZRANGE z 2 3 BYSCORE | ZRANGE z (2 +inf BYSCORE WITHSCORES
    ZRANGE z +inf -inf BYSCORE REV LIMIT 0 2 | ZRANGE z +inf -inf BYSCORE REV LIMIT 1 -1 | ZRANGE z x 1 BYSCORE
    ZRANGE z 0 1 LIMIT 0 1 | ZRANGE z 0 1 FOO | ZRANGE z x 1 | ZRANGEBYSCORE z -inf (4 WITHSCORES LIMIT 1 2
    ZREVRANGEBYSCORE z +inf 3 | ZREVRANGE z 0 1 WITHSCORES | ZREVRANGE z 3 9 | ZREVRANGE z -1 -1 | ZCOUNT z 2 3
    ZCOUNT z (2 3 | ZCOUNT z a b | ZINCRBY z 1.5 c | ZINCRBY z x c | ZRANGESTORE copy z 0 1 | ZRANGE copy 0 -1
    ZRANGESTORE copy z 9 10 | EXISTS copy | ZREMRANGEBYSCORE z -inf 2 | ZREMRANGEBYRANK z 0 0 | ZRANGE z 0 -1
    ZPOPMIN z | ZPOPMAX z 5 | EXISTS z | ZPOPMIN missing | ZPOPMIN missing -1 | ZPOPMAX missing x | ZREM z a | ZADD l 0 b 0 a 0 d 0 c | ZRANGEBYLEX l [b [d
    ZRANGEBYLEX l - (c | ZREVRANGEBYLEX l + [b LIMIT 1 1 | ZRANGE l [b + BYLEX | ZRANGE l + - BYLEX REV
    ZRANGE l - + BYLEX WITHSCORES | ZLEXCOUNT l - + | ZLEXCOUNT l (a [c | ZRANGEBYLEX l x y | ZREMRANGEBYLEX l [a (c
    ZRANGE l 0 -1 | ZADD y 0.1 a 1e20 b inf c -inf d | ZRANGE y 0 -1 WITHSCORES | ZINCRBY y -inf c | ZADD m 1 a 2 b
    ZADD n 10 b 20 c | ZUNIONSTORE u 2 m n | ZRANGE u 0 -1 WITHSCORES | ZUNIONSTORE u 2 m n WEIGHTS 2 3 AGGREGATE MAX
    ZRANGE u 0 -1 WITHSCORES | ZINTERSTORE u 2 m n | ZRANGE u 0 -1 WITHSCORES | ZINTER 2 m n WITHSCORES
    ZUNION 2 m n | ZDIFF 2 m n WITHSCORES | ZDIFFSTORE u 2 m n | ZUNIONSTORE u 0 m | ZUNIONSTORE u 3 m n
    ZUNIONSTORE u 1 m FOO | ZUNIONSTORE u 2 m n WEIGHTS 1 | ZSCAN m 0 | SADD s b | ZINTER 2 m s WITHSCORES | SET str x
    ZADD str 1 a | ZRANGE str 0 1 | ZUNION 1 str | ZADD | ZRANGEBYSCORE m 1 2 LIMIT 0`,
  transactions: `
    MULTI | SET a 1 | INCR a | GET a | LPUSH a x | EXEC | EXEC | DISCARD | MULTI | MULTI | DISCARD | MULTI | SET a
    SET a 9 | EXEC | GET a | MULTI | NOPE | EXEC | MULTI | EXEC | MULTI | SET a 5 | DISCARD | GET a`,
}

const SCRIPTS: readonly (readonly [script: string, ...args: string[]])[] = [
  ["return { 1, 2.9, 'x', true, false, nil, 5 }"],
  ['return { 3.99, -3.99, 0.5 - 1 }'],
  ['return { #KEYS, #ARGV, ARGV[1], KEYS[1] }', 'a', 'b'],
  ["redis.call('set', KEYS[1], 10 / 2) return redis.call('get', KEYS[1])"],
  ["redis.call('set', KEYS[1], 1e20) return redis.call('get', KEYS[1])"],
  ["redis.call('set', KEYS[1], 0.1) return redis.call('get', KEYS[1])"],
  ["redis.call('set', KEYS[1], 1795165200000123) return redis.call('get', KEYS[1])"],
  ["return ARGV[1] * 86400000 .. ''", '300'],
  ["local s = 0 for i = 1, 5 do s = s + i * 1000000000 end return tostring(s) .. ' ' .. 5.0 .. ' ' .. 1 / 3"],
  ["return math.floor(3.7) .. '|' .. 7 % 3 .. '|' .. 2 ^ 10 .. '|' .. -7 % 3 .. '|' .. 1e3 .. '|' .. 0x1F"],
  ["return math.floor(-0.5) .. ' ' .. math.ceil(2.1) * 2000000000 .. ' ' .. math.max(1, 2.5)"],
  ["return string.format('%d %s %5.2f %% %05d|%-4d|%x', 1795165200000, 5, 3.14159, 42, 7, 255)"],
  [
    "return tostring(tonumber('0x10')) .. tostring(tonumber(' 12 ')) .. tostring(tonumber('z', 36)) .. tostring(tonumber('x'))",
  ],
  ["return table.concat({ 1, 2.5, 'x' }, ',') .. #'é' .. string.rep('a', 3) .. select('#', 1, 2)"],
  ['local t = { 5, 2, 9 } table.sort(t, function(a, b) return a > b end) return t'],
  ["local a, b = unpack({ 7, 8 }) return { a + b, 10 == '10', '10' + 5 .. '', table.getn({ 1, 2 }) }"],
  [
    "-- 5\nlocal s = 'x 5 \\d y' --[[ 7 ]] local l = [[ 9 ]] local t = { [1] = 2, a1 = 3 } return s .. l .. t[1] .. t.a1",
  ],
  ["return { string.find('hello', 'l+') }"],
  ["return redis.call('hmget', KEYS[1], 'a')[1] == false and 'false' or 'other'"],
  ["return redis.call('set', KEYS[1], 'v', 'xx') == false"],
  ["return { redis.call('set', KEYS[1], 'v'), redis.call('type', KEYS[1]), redis.call('type', KEYS[1]).ok }"],
  ["redis.call('hset', KEYS[1], 'a', 1, 'b', '') return redis.call('hgetall', KEYS[1])"],
  ["return redis.call('incrby', KEYS[1], '5') * 2"],
  ["redis.call('zadd', KEYS[1], 1.5, 'a') return redis.call('zscore', KEYS[1], 'a') + 1 .. ''"],
  ["redis.call('set', KEYS[1], '') return { #redis.call('get', KEYS[1]), redis.call('exists', KEYS[1]) }"],
  ["return redis.sha1hex('abc')"],
  ["return redis.error_reply('My Err')"],
  ["return redis.error_reply('-CODE Err')"],
  ["return { err = 'Oops it' }"],
  ["return redis.status_reply('FINE')"],
  ["redis.call('set', KEYS[1], 'x') return redis.call('incr', KEYS[1])"],
  ["redis.call('set', KEYS[1], 'x') return redis.pcall('incr', KEYS[1])"],
  [
    "redis.call('set', KEYS[1], 'x') local ok, err = pcall(redis.call, 'incr', KEYS[1]) return { tostring(ok), err }",
  ],
  ["return redis.call('nope')"],
  ["return redis.call('get')"],
  ['return redis.call()'],
  ["return redis.call('get', {})"],
  ["return redis.call('eval', 'return 1', '0')"],
  ['local x = 1\nreturn nope'],
  ['nope = 1'],
  ['string.x = 1'],
  ["error('boom')"],
  ["error({ err = 'MYERR boom' })"],
  ["#!lua flags=no-writes\nreturn redis.call('set', KEYS[1], 1)"],
  ['return cjson.encode({ 1, 2, { a = 1.5 }, {}, true, cjson.null })'],
  ["return cjson.encode({ [3] = 'x' }) .. cjson.encode({ 1, nil, 3 }) .. cjson.encode({ [1.5] = 'x' })"],
  ["return cjson.encode({ [100] = 'x' })"],
  ['return cjson.encode({ a = 0 / 0 })'],
  ['return cjson.encode(1795165200000123) .. cjson.encode(1795165200000) .. cjson.encode(0.1)'],
  ['return cjson.encode(ARGV[1])', 'a/b\\"\n\t\u0001\u007fé日'],
  [
    'local t = cjson.decode(ARGV[1]) return { t.a[1], t.a[3] == cjson.null, t.b .. "", t.c, #t.a }',
    '{"a":[1,2,null],"b":1.50,"c":"\\u00e9日"}',
  ],
  ['return cjson.encode(cjson.decode(ARGV[1]))', '[{"a":[]},"x",1e3,false]'],
  ['local t = {} for i = 1, 3 do t[#t + 1] = i end return t'],
  ["return { 'a', { 'b', { 'c' } } }"],
  ['return'],
]

/** Commands whose replies have no order. */
const UNORDERED = /^(SMEMBERS|SUNION|SINTER|SDIFF|KEYS|SCAN|SSCAN|SPOP) /

describe.skipIf(!findRedisServer())('the embedded Redis beside a redis-server', () => {
  const handles: RedisHandle[] = []
  let real: Redis
  let embedded: Redis

  beforeAll(async () => {
    const realHandle = await startRedis()
    const embeddedHandle = await startRedis({ searchPath: '' })
    handles.push(realHandle, embeddedHandle)
    real = realHandle.createConnection()
    embedded = embeddedHandle.createConnection()
  })
  beforeEach(async () => {
    await Promise.all([real.flushall(), embedded.flushall()])
  })
  afterAll(async () => {
    await Promise.all(handles.map((handle) => handle.stop()))
  })

  async function replyOf(connection: Redis, words: readonly string[]): Promise<unknown> {
    const [name = '', ...args] = words
    try {
      const reply = await connection.call(name.toUpperCase(), args)
      return normalised(reply, UNORDERED.test(`${name} `))
    } catch (error) {
      return error instanceof Error ? `error: ${error.message}` : error
    }
  }

  it.each(Object.entries(CONVERSATIONS))('answers the same about %s', async (_title, conversation) => {
    const commands = conversation
      .split(/[|\n]/)
      .map((command) => command.trim())
      .filter(Boolean)
    expect(commands.length).toBeGreaterThan(20)
    for (const command of commands) {
      const words = command.split(' ')
      const [expected, actual] = await Promise.all([replyOf(real, words), replyOf(embedded, words)])
      expect({ command, reply: actual }).toEqual({ command, reply: expected })
    }
  })

  it.each(SCRIPTS)('answers the same to the script %s', async (script, ...args) => {
    const words = ['EVAL', script, '1', 'key', ...args]
    const [expected, actual] = await Promise.all([replyOf(real, words), replyOf(embedded, words)])
    expect(actual).toEqual(expected)
  })
})

/** Redis 7.0 prints 0.1 as 0.10000000000000001, later versions and the embedded one as 0.1. */
function normalised(reply: unknown, unordered: boolean): unknown {
  if (Array.isArray(reply)) {
    const items = reply.map((item) => normalised(item, unordered))
    return unordered ? items.sort() : items
  }
  if (reply instanceof Error) return `error: ${reply.message}`
  return typeof reply === 'string' && /^-?\d+\.?\d*(e[+-]?\d+)?$/.test(reply) ? String(Number(reply)) : reply
}
