import type { Redis } from '@upstash/redis'
import type { CacheEntry } from '../../ports.ts'

/** One hash per scope (a workspace, or `public`): the generation last heard of in `g`, and the answers. */
const hashKey = (scope: string) => `tm:v:{${scope}}`
const lockKey = (scope: string, key: string) => `tm:lock:{${scope}}:${key}`

/** Answers of a scope nobody has asked for in a day are gone. */
const KEEP_MS = 24 * 3600 * 1000
/** More kinds of question than this of one workspace, and the hash starts anew. */
const MAX_FIELDS = 1_000

/**
 * Says in one step whether an answer is fresh, or whose turn it is to make it anew. An answer is fresh while its
 * time lasts and nobody has raised the generation beyond its own. `minGeneration` counts for no more than
 * the generation that is known: a made-up one causes no work.
 */
const GET = `
local known = tonumber(redis.call('HGET', KEYS[1], 'g') or '-1')
local entry = redis.call('HMGET', KEYS[1], 'm:' .. ARGV[1], 'b:' .. ARGV[1])
local min = tonumber(ARGV[3])
if known >= 0 and min > known then min = known end
local need = math.max(min, known)
local meta = entry[1] or ''
local generation, fresh_until = string.match(meta, '^(%d+) (%d+)')
if entry[2] and generation and tonumber(generation) >= need and tonumber(fresh_until) > tonumber(ARGV[2]) then
  return { 'hit', meta, entry[2], tostring(min) }
end
local state = 'wait'
if redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[5]) then state = 'lock' end
return { state, meta, entry[2] or '', tostring(min) }
`

/** Stores an answer, unless a later state of the workspace has been stored; frees the caller's lock. */
const PUT = `
local meta = redis.call('HGET', KEYS[1], 'm:' .. ARGV[1])
local stored = 0
local generation = tonumber(ARGV[2])
local kept = meta and tonumber(string.match(meta, '^(%d+)')) or -1
if generation >= kept then
  if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[7]) then
    local g = redis.call('HGET', KEYS[1], 'g')
    redis.call('DEL', KEYS[1])
    if g then redis.call('HSET', KEYS[1], 'g', g) end
  end
  redis.call('HSET', KEYS[1], 'm:' .. ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4], 'b:' .. ARGV[1], ARGV[5])
  local known = tonumber(redis.call('HGET', KEYS[1], 'g') or '-1')
  if generation > known then redis.call('HSET', KEYS[1], 'g', ARGV[2]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
  stored = 1
end
if redis.call('GET', KEYS[2]) == ARGV[6] then redis.call('DEL', KEYS[2]) end
return stored
`

const RAISE = `
local known = tonumber(redis.call('HGET', KEYS[1], 'g') or '-1')
if tonumber(ARGV[1]) > known then redis.call('HSET', KEYS[1], 'g', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`

const FREE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1`

export interface RegionAnswer {
  /** `lock`: the caller is the one to make it anew. `wait`: somebody else is. */
  state: 'hit' | 'lock' | 'wait'
  /** What is there, fresh or not. */
  entry: CacheEntry | null
  /** The generation asked for, as far as it is known to exist. */
  minGeneration: number
}

export interface RegionTier {
  get(options: {
    scope: string
    key: string
    minGeneration: number
    nowMs: number
    token: string
    lockMs: number
  }): Promise<RegionAnswer>
  put(options: {
    scope: string
    key: string
    entry: CacheEntry
    freshUntilMs: number
    token: string
  }): Promise<void>
  free(scope: string, key: string, token: string): Promise<void>
  raise(scope: string, generation: number): Promise<void>
}

/** Answers shared by the world, in Redis. Every method rejects when Redis does not answer. */
export function createRegionTier(redis: Redis): RegionTier {
  const get = redis.createScript<[string, string, string, string]>(GET)
  const put = redis.createScript<number>(PUT)
  const raise = redis.createScript<number>(RAISE)
  const free = redis.createScript<number>(FREE)
  return {
    async get({ scope, key, minGeneration, nowMs, token, lockMs }) {
      const [state, meta, body, min] = await get.exec(
        [hashKey(scope), lockKey(scope, key)],
        [key, String(nowMs), String(minGeneration), token, String(lockMs)],
      )
      const [generation, , computedAtMs] = meta.split(' ', 3).map(Number)
      // The body is stored behind its ETag, which it is as old as.
      const gap = body.indexOf('\n')
      const entry =
        generation === undefined || computedAtMs === undefined || gap < 0
          ? null
          : { generation, computedAtMs, etag: body.slice(0, gap), body: body.slice(gap + 1) }
      return {
        state: state === 'hit' || state === 'lock' ? state : 'wait',
        entry,
        minGeneration: Number(min),
      }
    },
    async put({ scope, key, entry, freshUntilMs, token }) {
      await put.exec(
        [hashKey(scope), lockKey(scope, key)],
        [
          key,
          String(entry.generation),
          String(freshUntilMs),
          String(entry.computedAtMs),
          `${entry.etag}\n${entry.body}`,
          token,
          String(MAX_FIELDS),
          String(KEEP_MS),
        ],
      )
    },
    async free(scope, key, token) {
      await free.exec([lockKey(scope, key)], [token])
    },
    async raise(scope, generation) {
      await raise.exec([hashKey(scope)], [String(generation), String(KEEP_MS)])
    },
  }
}
