import type { Redis } from '@upstash/redis'
import type { CacheEntry, CacheRead } from '../../ports.ts'

/**
 * One hash per scope (a workspace, or `public`): `g` is the generation last heard of, `f` the last fencing
 * token given out; of each answer `m:` says generation, until when it is fresh, when it was made, the token it
 * was made under and what it cost, and `b:` holds the answer.
 */
const hashKey = (scope: string) => `tm:v:{${scope}}`
const lockKey = (scope: string, key: string) => `tm:lock:{${scope}}:${key}`
/** Questions that are kept warm: of each until when, and how it is put. The field without a name: when they were last made anew. */
const askedKey = (scope: string) => `tm:asked:{${scope}}`
/** Answers of a scope nobody has asked for in a day are gone. */
const KEEP_MS = 24 * 3600 * 1000
/** More kinds of question than this of one workspace, and the hash starts anew. */
const MAX_FIELDS = 1_000
/** Of questions that are kept warm, the same. */
const MAX_ASKED = 200

/**
 * Says in one step whether an answer is fresh, or whose turn it is to make it anew. An answer is fresh while its
 * time lasts and nobody has raised the generation beyond its own. What a caller was told of (ARGV 3) counts for
 * no more than the generation that is known: a made-up one causes no work. What the isolate has seen itself
 * (ARGV 4) is true, and teaches a Redis that missed it. A time left beyond what any answer is given comes from
 * a clock that is wrong, and counts for nothing. A question that is kept warm is noted as asked (ARGV 9 to 11).
 */
const GET = `
if ARGV[11] ~= '' then
  if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[9]) then redis.call('DEL', KEYS[3]) end
  local warm_until = string.format('%d', tonumber(ARGV[2]) + tonumber(ARGV[10]))
  redis.call('HSET', KEYS[3], ARGV[1], warm_until .. ' ' .. ARGV[11])
  if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[10]) then redis.call('PEXPIRE', KEYS[3], ARGV[10]) end
end
local known = tonumber(redis.call('HGET', KEYS[1], 'g') or '-1')
local seen = tonumber(ARGV[4])
if seen > known then
  redis.call('HSET', KEYS[1], 'g', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
  known = seen
end
local min = tonumber(ARGV[3])
if known >= 0 and min > known then min = known end
local entry = redis.call('HMGET', KEYS[1], 'm:' .. ARGV[1], 'b:' .. ARGV[1])
local meta = entry[1] or ''
local generation, fresh_until, cost = string.match(meta, '^(%d+) (%d+) %d+ %d+ (%d+)')
local current = entry[2] and generation and tonumber(generation) >= math.max(min, known)
local left = current and tonumber(fresh_until) - tonumber(ARGV[2]) or 0
local fresh = left > 0 and left <= tonumber(ARGV[6])
if fresh and left > math.max(tonumber(cost), tonumber(ARGV[6]) / 50) * tonumber(ARGV[7]) then
  return { 'hit', meta, entry[2], tostring(min), '0', '1', tostring(known) }
end
local state, fence = fresh and 'hit' or 'wait', '0'
if tonumber(ARGV[5]) > 0 then
  fence = tostring(redis.call('HINCRBY', KEYS[1], 'f', 1))
  if fence == '1' then redis.call('PEXPIRE', KEYS[1], ARGV[8]) end
  if redis.call('SET', KEYS[2], fence, 'NX', 'PX', ARGV[5]) then
    state = fresh and 'renew' or 'lock'
  end
end
return { state, meta, entry[2] or '', tostring(min), fence, current and '1' or '0', tostring(known) }
`

/**
 * Stores an answer, unless a later state of the scope has been stored, or one made under a later token; frees
 * the caller's lock. Who made it without a token (the lock's owner took too long) goes by when it was made.
 */
const PUT = `
local meta = redis.call('HGET', KEYS[1], 'm:' .. ARGV[1])
local generation, fence = tonumber(ARGV[2]), tonumber(ARGV[6])
local kept, kept_at, kept_fence = string.match(meta or '', '^(%d+) %d+ (%d+) (%d+)')
local stored = 1
if kept and tonumber(kept) > generation then stored = 0 end
if kept and tonumber(kept) == generation then
  if fence > 0 and tonumber(kept_fence) > fence then stored = 0 end
  if fence == 0 and tonumber(kept_at) > tonumber(ARGV[4]) then stored = 0 end
end
if stored == 1 then
  if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[7]) then
    local counters = redis.call('HMGET', KEYS[1], 'g', 'f')
    redis.call('DEL', KEYS[1])
    if counters[1] then redis.call('HSET', KEYS[1], 'g', counters[1]) end
    if counters[2] then redis.call('HSET', KEYS[1], 'f', counters[2]) end
  end
  local line = ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[6] .. ' ' .. ARGV[9]
  redis.call('HSET', KEYS[1], 'm:' .. ARGV[1], line, 'b:' .. ARGV[1], ARGV[5])
  local known = tonumber(redis.call('HGET', KEYS[1], 'g') or '-1')
  if generation > known then redis.call('HSET', KEYS[1], 'g', ARGV[2]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
end
if redis.call('GET', KEYS[2]) == ARGV[6] then redis.call('DEL', KEYS[2]) end
return stored
`

/**
 * Notes a generation. Gives the questions that are warm, the last asked first, unless somebody else was given them
 * a moment ago.
 */
const RAISE = `
local known = tonumber(redis.call('HGET', KEYS[1], 'g') or '-1')
if tonumber(ARGV[1]) > known then redis.call('HSET', KEYS[1], 'g', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('EXISTS', KEYS[2]) == 0 then return {} end
local since = tonumber(ARGV[3]) - tonumber(redis.call('HGET', KEYS[2], '') or '0')
if since >= 0 and since < tonumber(ARGV[4]) then return {} end
local asked, warm = redis.call('HGETALL', KEYS[2]), {}
for i = 1, #asked, 2 do
  local warm_until, question = string.match(asked[i + 1], '^(%d+) (.*)$')
  if warm_until and tonumber(warm_until) > tonumber(ARGV[3]) then
    warm[#warm + 1] = { tonumber(warm_until), question }
  else
    redis.call('HDEL', KEYS[2], asked[i])
  end
end
redis.call('HSET', KEYS[2], '', ARGV[3])
table.sort(warm, function(a, b) return a[1] > b[1] end)
local questions = {}
for i = 1, math.min(#warm, tonumber(ARGV[5])) do questions[i] = warm[i][2] end
return questions
`

const FREE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1`

export interface RegionAnswer {
  /**
   * `lock`: the caller is the one to make it anew. `renew`: it serves, and the caller is to make it anew
   * meanwhile. `wait`: somebody else is making it, or the caller cannot.
   */
  state: 'hit' | 'renew' | 'lock' | 'wait'
  /** What is there, fresh or not. */
  entry: CacheEntry | null
  /** Whether nothing has changed since the entry was made: at most its time is over. */
  isCurrent: boolean
  /** The generation asked for, as far as it is known to exist. */
  minGeneration: number
  /** The newest that is known of the scope; `null`: none is. */
  generation: number | null
  /** Of whoever makes it anew: later ones are greater. 0 for the others. */
  fence: number
}

/** All that it takes to answer a question again. */
export type WarmQuestion = Pick<CacheRead, 'key' | 'policy'> & { recipe: string }

export interface RegionTier {
  get(options: {
    scope: string
    key: string
    minGeneration: number
    /** The greatest generation that the isolate itself has seen. */
    seenGeneration: number
    nowMs: number
    /** For how long nobody else makes it anew if the caller is to; 0: the caller cannot. */
    lockMs: number
    /** For how long answers to this question are fresh. */
    freshMs: number
    /** How it is put again, and for how long after this it is kept warm; `null`: it is not. */
    warm: { question: WarmQuestion; forMs: number } | null
  }): Promise<RegionAnswer>
  put(options: {
    scope: string
    key: string
    entry: CacheEntry
    freshUntilMs: number
    fence: number
    /** What it took to make. */
    costMs: number
  }): Promise<void>
  free(scope: string, key: string, fence: number): Promise<void>
  /** @returns at most `atMost` warm questions that the caller is to answer anew, the last asked first */
  raise(options: {
    scope: string
    generation: number
    nowMs: number
    /** For how long nobody else is given them. */
    pauseMs: number
    atMost: number
  }): Promise<WarmQuestion[]>
}

/** Answers shared by the world, in Redis. Every method rejects when Redis does not answer. */
export function createRegionTier(redis: Redis): RegionTier {
  const get = redis.createScript<[string, string, string, string, string, string, string]>(GET)
  const put = redis.createScript<number>(PUT)
  const raise = redis.createScript<string[]>(RAISE)
  const free = redis.createScript<number>(FREE)
  return {
    async get({ scope, key, minGeneration, seenGeneration, nowMs, lockMs, freshMs, warm }) {
      // "Optimal Probabilistic Cache Stampede Prevention" (Vattani et al., VLDB 2015): the chance to renew
      // early rises towards the end, and is greater for what costs more.
      const earliness = -Math.log(1 - Math.random())
      const [state, meta, body, min, fence, current, newest] = await get.exec(
        [hashKey(scope), lockKey(scope, key), askedKey(scope)],
        [
          key,
          String(nowMs),
          String(minGeneration),
          String(seenGeneration),
          String(lockMs),
          String(freshMs),
          String(earliness),
          String(KEEP_MS),
          String(MAX_ASKED),
          String(warm?.forMs ?? 0),
          warm === null ? '' : JSON.stringify(warm.question),
        ],
      )
      const [generation, , computedAtMs] = meta.split(' ', 3).map(Number)
      // The body is stored behind its ETag, which it is as old as.
      const gap = body.indexOf('\n')
      const entry =
        generation === undefined || computedAtMs === undefined || gap < 0
          ? null
          : { generation, computedAtMs, etag: body.slice(0, gap), body: body.slice(gap + 1) }
      const known = STATES.find((one) => one === state) ?? 'wait'
      return {
        state: known,
        entry,
        isCurrent: current === '1',
        minGeneration: Number(min),
        // 0 is what somebody says who has seen none.
        generation: Number(newest) > 0 ? Number(newest) : null,
        fence: known === 'lock' || known === 'renew' ? Number(fence) : 0,
      }
    },
    async put({ scope, key, entry, freshUntilMs, fence, costMs }) {
      await put.exec(
        [hashKey(scope), lockKey(scope, key)],
        [
          key,
          String(entry.generation),
          String(freshUntilMs),
          String(entry.computedAtMs),
          `${entry.etag}\n${entry.body}`,
          String(fence),
          String(MAX_FIELDS),
          String(KEEP_MS),
          String(Math.max(0, Math.round(costMs))),
        ],
      )
    },
    async free(scope, key, fence) {
      await free.exec([lockKey(scope, key)], [String(fence)])
    },
    async raise({ scope, generation, nowMs, pauseMs, atMost }) {
      const texts = await raise.exec(
        [hashKey(scope), askedKey(scope)],
        [generation, KEEP_MS, nowMs, pauseMs, atMost].map(String),
      )
      return texts.map((text): WarmQuestion => JSON.parse(text))
    },
  }
}

const STATES = ['hit', 'renew', 'lock', 'wait'] as const
