import { describe, expect, it } from 'vitest'
import type { RedisKind } from './redis-kinds.ts'
import { useStack } from './stack.ts'

const UPSTASH_SCRIPT = `#!lua flags=allow-key-locking
  local raised = redis.call('INCRBY', KEYS[1], ARGV[1])
  redis.call('pexpire', KEYS[1], ARGV[2])
  return { raised, redis.call('GET', KEYS[1]), redis.call('GET', 'missing') }
`

/** Lua scripts, through `@upstash/redis`. */
export function describeScripts(kind: RedisKind): void {
  describe(`scripts over ${kind}`, () => {
    const stack = useStack(kind)

    it('evaluates a script that declares Upstash’s own flag', async () => {
      const redis = stack.client()
      expect(await redis.eval(UPSTASH_SCRIPT, ['count'], [5, 60_000])).toEqual([5, 5, null])
      expect(await redis.pttl('count')).toBeGreaterThan(50_000)
    })

    it('knows a script by the SHA of the text it was given', async () => {
      const redis = stack.client()
      const unknown = 'a'.repeat(40)
      await expect(redis.evalsha(unknown, ['count'], [1, 1000])).rejects.toThrow('NOSCRIPT')
      const sha = await redis.scriptLoad(UPSTASH_SCRIPT)
      const script = redis.createScript<[number, number, null]>(UPSTASH_SCRIPT)
      await script.exec(['other'], ['1', '1000'])
      expect(script.sha1).toBe(sha)
      expect(await redis.evalsha(sha, ['count'], [2, 1000])).toEqual([2, 2, null])
      expect(await redis.scriptExists(sha, unknown)).toEqual([1, 0])
    })

    it('forgets scripts after a flush, and learns them again', async () => {
      const redis = stack.client()
      const sha = await redis.scriptLoad(UPSTASH_SCRIPT)
      await redis.scriptFlush()
      await expect(redis.evalsha(sha, ['count'], [1, 1000])).rejects.toThrow('NOSCRIPT')
      await redis.eval(UPSTASH_SCRIPT, ['count'], [1, 1000])
      expect(await redis.evalsha(sha, ['count'], [1, 1000])).toEqual([2, 2, null])
    })

    it('evaluates scripts within pipelines and transactions', async () => {
      const redis = stack.client()
      const pipelined = await redis
        .pipeline()
        .eval(UPSTASH_SCRIPT, ['count'], [1, 1000])
        .get('count')
        .exec<[unknown, number]>()
      expect(pipelined).toEqual([[1, 1, null], 1])
      const transacted = await redis.multi().eval(UPSTASH_SCRIPT, ['count'], [1, 1000]).exec<[unknown]>()
      expect(transacted).toEqual([[2, 2, null]])
    })

    it('gives results their types', async () => {
      const redis = stack.client()
      const script = "return { 1, 2.9, 'text', true, false, { 'a', { 'b' } }, redis.status_reply('FINE') }"
      expect(await redis.eval(script, [], [])).toEqual([1, 2, 'text', 1, null, ['a', ['b']], 'FINE'])
      expect(await redis.eval('return nil', [], [])).toBeNull()
      expect(await redis.eval('local t = {} for i = 1, 3 do t[#t + 1] = i end return t', [], [])).toEqual([
        1, 2, 3,
      ])
    })

    it('calculates with doubles, however large', async () => {
      const redis = stack.client()
      const script = `
        local now, days = tonumber(ARGV[1]), tonumber(ARGV[2])
        local later = now + days * 86400000
        redis.call('SET', KEYS[1], later)
        return { redis.call('GET', KEYS[1]), later .. '', string.format('%d', later), 10 / 2 .. '' }`
      const plain = stack.client({ automaticDeserialization: false })
      expect(await plain.eval(script, ['later'], [1_795_165_200_000, 300])).toEqual([
        '1821085200000',
        '1821085200000',
        '1821085200000',
        '5',
      ])
      expect(await redis.get('later')).toBe(1_821_085_200_000)
    })

    it('reads and writes JSON within scripts', async () => {
      const redis = stack.client()
      const script = `
        local value = cjson.decode(ARGV[1])
        value.count = value.count + 1
        value.list[#value.list + 1] = value.missing == cjson.null
        return cjson.encode(value)`
      const value = { count: 1, list: ['é', 2.5], missing: null }
      expect(await redis.eval(script, [], [value])).toEqual({
        count: 2,
        list: ['é', 2.5, true],
        missing: null,
      })
    })

    it('tells an error of a command from one that the script catches', async () => {
      const redis = stack.client()
      await redis.set('text', 'abc')
      await expect(redis.eval("\nreturn redis.call('INCR', 'text')", [], [])).rejects.toThrow(
        /^ERR value is not an integer or out of range script: [\da-f]{40}, on @user_script:2\./,
      )
      const caught = "return redis.pcall('INCR', 'text').err"
      expect(await redis.eval(caught, [], [])).toBe('ERR value is not an integer or out of range')
      await expect(redis.eval("return redis.error_reply('STALE older')", [], [])).rejects.toThrow(
        'STALE older',
      )
    })

    it('keeps scripts from reading or making globals', async () => {
      const redis = stack.client()
      await expect(redis.eval('return unknown', [], [])).rejects.toThrow(
        "Script attempted to access nonexistent global variable 'unknown'",
      )
      await expect(redis.eval('leak = 1', [], [])).rejects.toThrow('Attempt to modify a readonly table')
    })

    it('answers one of concurrent callers with a lock', async () => {
      const redis = stack.client()
      const script = redis.createScript<number>(
        "if redis.call('set', KEYS[1], ARGV[1], 'nx', 'px', ARGV[2]) then return 1 else return 0 end",
      )
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => script.exec(['lock'], [`holder-${index}`, '5000'])),
      )
      expect(answers.filter((answer) => answer === 1)).toHaveLength(1)
    })
  })
}
