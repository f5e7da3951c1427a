import type { Redis } from '@upstash/redis'
import { importSealingKey, SealBrokenError, type SealingKey, seal, unseal } from '../lib/seal.ts'
import { sleep } from '../lib/sleep.ts'
import type { CallerRecords, Clock, Fence, Logger } from '../ports.ts'
import { type Breaker, BreakerOpenError } from '../resilience/breaker.ts'

/** A record is as good as the database's word for so long: what a lost change costs at most, beside memory. */
const FRESH_MS = 10_000
/** How long a record is kept for the case that the database is away. */
const KEPT_MS = 24 * 3_600_000
/** Fences outlive the records that rest on them. */
const FENCE_MS = KEPT_MS + 3_600_000
/** What has ended stays so for longer than any record could. */
const ENDED_MS = 2 * KEPT_MS
/** A lookup has so long to store what it found. What is unknown leaves no more than this behind. */
const LOOKUP_MS = 10_000
/** When a change is told again that did not get through: within what a runtime grants after an answer. */
const RETRY_AFTER_MS = [500, 2_000, 6_000, 16_000]
/** Fences in one call. */
const MOST_AT_ONCE = 1_000

/**
 * A fence is a random text: a change deletes it, and no later one is the same. A record is labelled with the
 * fences as they were before its answer was asked for, and believed while they are the same: whoever asked
 * before a change can store nothing after it. A fence that was lost takes its records along.
 */
const FIND = `
local label = ''
for i = 2, #KEYS do
  local fence = redis.call('GET', KEYS[i])
  if fence == 'ended' then return { 'ended', '', '', '' } end
  if not fence then
    fence = ARGV[1]
    redis.call('SET', KEYS[i], fence, 'PX', ARGV[2])
  end
  label = label .. fence .. ' '
end
local kept = redis.call('HMGET', KEYS[1], 'label', 'at', 'body')
if kept[1] == label and kept[2] and kept[3] then return { 'kept', label, kept[2], kept[3] } end
return { 'none', label, '', '' }
`

const STORE = `
local label = ''
for i = 2, #KEYS do label = label .. (redis.call('GET', KEYS[i]) or '') .. ' ' end
if label ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'label', label, 'at', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return 1
`

const FORGET = `
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) ~= 'ended' then redis.call('DEL', KEYS[i]) end
end
return 1
`

const END = `
for i = 1, #KEYS do redis.call('SET', KEYS[i], 'ended', 'PX', ARGV[1]) end
return 1
`

const fenceKey = (fence: Fence) => `tm:caller:fence:${fence}`
const recordKey = (fences: readonly Fence[]) => `tm:caller:record:${fences.join('+')}`
const keysOf = (fences: readonly Fence[]) => [recordKey(fences), ...fences.map(fenceKey)]

/**
 * What is known of callers, in Redis, under hashes and ids. Records are sealed, bound to their name, label and
 * time: whoever reads Redis learns no address of anybody, and whoever writes to it makes nobody anything.
 * @param parts.redis gives up soon: requests wait for it
 * @param parts.secret what the sealing key is made from; with another one nothing that is stored opens
 * @param parts.breaker of Redis
 */
export function createCallerRecords(parts: {
  redis: Redis
  secret: string
  clock: Clock
  log: Logger
  waitUntil(work: Promise<unknown>): void
  breaker?: Breaker
}): CallerRecords {
  const { redis, clock, log, breaker } = parts
  const find = redis.createScript<[string, string, string, string]>(FIND)
  const store = redis.createScript<number>(STORE)
  const forget = redis.createScript<number>(FORGET)
  const end = redis.createScript<number>(END)

  // The key and not the promise of it: one request must not wait for what another began.
  let derived: SealingKey | undefined
  const sealingKey = async () => {
    derived ??= await deriveKey(parts.secret)
    return derived
  }

  const guarded = <T>(call: () => Promise<T>) => (breaker === undefined ? call() : breaker.run(call))

  function note(message: string, error: unknown): void {
    if (!(error instanceof BreakerOpenError)) log.warn(message, { error })
  }

  /** Changes pass no breaker: there are few of them, and none may be left out because reads have failed. */
  async function tell(
    call: (keys: string[]) => Promise<unknown>,
    fences: readonly Fence[],
  ): Promise<boolean> {
    const keys = fences.map(fenceKey)
    const attempt = async () => {
      for (let i = 0; i < keys.length; i += MOST_AT_ONCE) await call(keys.slice(i, i + MOST_AT_ONCE))
    }
    try {
      await attempt()
      return true
    } catch (error) {
      log.warn('change of access not told to redis yet', { error })
      parts.waitUntil(tellAgain(attempt))
      return false
    }
  }

  async function tellAgain(attempt: () => Promise<void>): Promise<void> {
    let last: unknown
    for (const waitMs of RETRY_AFTER_MS) {
      await sleep(waitMs)
      try {
        return await attempt()
      } catch (error) {
        last = error
      }
    }
    log.error('change of access not told to redis', { error: last })
  }

  return {
    async find(fences) {
      try {
        const [state, label, at, sealed] = await guarded(() =>
          find.exec(keysOf(fences), [crypto.randomUUID(), String(LOOKUP_MS)]),
        )
        if (state === 'ended') return { state }
        if (state !== 'kept') return { state: 'none', label }
        // Isolates do not quite agree on the time: what seems to come from the future is not fresh for longer.
        const ageMs = Math.abs(clock.now() - Number(at))
        const body =
          ageMs < KEPT_MS ? await opened(await sealingKey(), sealed, boundTo(fences, label, at)) : null
        if (body === null) return { state: 'none', label }
        return { state: ageMs < FRESH_MS ? 'fresh' : 'old', label, body }
      } catch (error) {
        note('caller not looked up in redis', error)
        return null
      }
    },
    async store(fences, { label, body, askedAtMs }) {
      try {
        const at = String(askedAtMs)
        const sealed = await seal(await sealingKey(), body, boundTo(fences, label, at))
        await guarded(() =>
          store.exec(keysOf(fences), [label, at, sealed, String(KEPT_MS), String(FENCE_MS)]),
        )
      } catch (error) {
        note('caller not stored in redis', error)
      }
    },
    forget: (fences) => tell((keys) => forget.exec(keys, []), fences),
    end: (fences) => tell((keys) => end.exec(keys, [String(ENDED_MS)]), fences),
  }
}

const boundTo = (fences: readonly Fence[], label: string, at: string) => `${recordKey(fences)} ${label}${at}`

/** `null` for what was sealed with another secret, or tampered with. */
async function opened(key: SealingKey, sealed: string, bound: string): Promise<string | null> {
  try {
    return await unseal(key, sealed, bound)
  } catch (error) {
    if (error instanceof SealBrokenError) return null
    throw error
  }
}

/** A key of this purpose alone. */
async function deriveKey(secret: string): Promise<SealingKey> {
  const utf8 = new TextEncoder()
  const material = await crypto.subtle.importKey('raw', utf8.encode(secret), 'HKDF', false, ['deriveBits'])
  const info = utf8.encode('tidemark caller records')
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    material,
    256,
  )
  return importSealingKey(btoa(String.fromCharCode(...new Uint8Array(bits))))
}
