import { TENTHS_OF_LIMIT } from './call-gate-windows.ts'

/** What the gate asks of Redis. Each script takes all of its keys as KEYS, and only plain commands. */

/** An open breaker lets a call through to see whether it goes well after so long. */
export const OPEN_MS = 30_000
/** A call that was let through to see, and of which nothing was heard for so long, is given up. */
const PROBE_MS = 20_000
/** Others ask again so soon, as the call that is under way tells more at any moment. */
const ASK_AGAIN_MS = 2_000
/** Opens after so many failures in a row, */
const FAILURES_IN_A_ROW = 5
/** or when half of so many last calls failed. */
const LAST_CALLS = 20

/** What a day allows is released in steps of this. */
const PACE_STEP_MS = 300_000

/** Breakers and allowances are listed for so long after their last use, and no more of them than this. */
export const LISTED_MS = 7 * 86_400_000
const MOST_LISTED = 1_000

/**
 * A quarter of a day's allowance may be taken at once; the rest is released evenly, until the day's last step.
 * `released` is what may have been taken by now, `released_at` when so much may have been.
 */
const PACE = `
local function steps_of(from, till) return (till - from) / ${PACE_STEP_MS} - 1 end
local function released(total, from, till, now)
  local steps = steps_of(from, till)
  local passed = math.max(0, math.min(steps, math.floor((now - from) / ${PACE_STEP_MS})))
  return math.floor(total * (steps + 3 * passed) / (4 * steps))
end
local function released_at(total, wanted, from, till)
  if wanted > total then return till end
  local steps = steps_of(from, till)
  return from + math.max(0, math.ceil((4 * steps * wanted - steps * total) / (3 * total))) * ${PACE_STEP_MS}
end
`

const LIST = `
local function list(index, name, now)
  redis.call('ZADD', index, now, name)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now - ${LISTED_MS})
  redis.call('ZREMRANGEBYRANK', index, 0, -${MOST_LISTED + 1})
end
`

/** How many arguments ADMIT takes before those of the rules, and for each of them. */
const ADMIT_HEAD = 12
const ADMIT_RULE = 12

/**
 * Takes a call from everything, or from nothing. Answers `{'admitted'}`, or why not: a reason, for how many
 * milliseconds, the rule's number, and from how many units on.
 *
 * KEYS: paused, breaker, breakers, allowances, money, an allowance for each rule.
 * ARGV: now, platform, breaker's name, call's id, calls that were turned away meanwhile, cost, workspace,
 * budget, day's start and end, money's lifetime, share left to others; and for each rule its key, units, limit,
 * bucket, first, oldest, leaves after, day's start and end (0 where there is none), lifetime, window, day's zone.
 */
export const ADMIT = `${PACE}${LIST}
local now = tonumber(ARGV[1])
local paused = redis.call('HMGET', KEYS[1], 'all', ARGV[2])
local breaker = redis.call('HMGET', KEYS[2], 'opened', 'probed')
local open_for = 0
if breaker[1] then
  open_for = tonumber(breaker[1]) + ${OPEN_MS} - now
  if open_for <= 0 and breaker[2] then
    open_for = math.min(${ASK_AGAIN_MS}, tonumber(breaker[2]) + ${PROBE_MS} - now)
  end
end
local refusal
local turned_away = tonumber(ARGV[5])
local leaves = tonumber(ARGV[12])
if paused[1] then
  refusal = { 'paused_all' }
elseif paused[2] then
  refusal = { 'paused' }
elseif open_for > 0 then
  refusal = { 'breaker', open_for }
  turned_away = turned_away + 1
end
if turned_away > 0 then
  redis.call('HINCRBY', KEYS[2], 'rejects', turned_away)
  redis.call('PEXPIRE', KEYS[2], ${LISTED_MS})
  list(KEYS[3], ARGV[3], now)
end
if refusal then return refusal end

local longest = { 0 }
local forgotten = {}
for i = 1, #KEYS - 5 do
  local at = ${ADMIT_HEAD} + (i - 1) * ${ADMIT_RULE}
  local units, limit = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local first, oldest = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  local leaves_after = tonumber(ARGV[at + 7])
  local from, till = tonumber(ARGV[at + 8]), tonumber(ARGV[at + 9])
  local fields = redis.call('HGETALL', KEYS[5 + i])
  local told, buckets, used = {}, {}, 0
  forgotten[i] = {}
  for f = 1, #fields, 2 do
    local bucket = tonumber(fields[f])
    local value = tonumber(fields[f + 1])
    if not bucket then
      told[fields[f]] = value
    elseif bucket >= first then
      used = used + value
      buckets[#buckets + 1] = { bucket, value }
    elseif bucket < oldest then
      table.insert(forgotten[i], fields[f])
    end
  end
  local wait, least = 0, units
  if told['until'] and told['until'] > now then
    wait, least = told['until'] - now, 0
  else
    if told['lower'] and told['lower_until'] > now then limit = math.min(limit, told['lower']) end
    local allowed = math.max(1, math.floor(limit * ${TENTHS_OF_LIMIT} / 10))
    if units <= allowed then allowed = math.max(units, allowed - math.ceil(allowed * leaves)) end
    if units > allowed then
      wait = told['lower_until'] - now
    elseif till > 0 then
      if used + units > math.max(1, released(allowed, from, till, now)) then
        wait = released_at(allowed, used + units, from, till) - now
      end
    elseif used + units > allowed then
      table.sort(buckets, function(one, other) return one[1] < other[1] end)
      local left = used
      for _, bucket in ipairs(buckets) do
        left = left - bucket[2]
        if left + units <= allowed then
          wait = bucket[1] + leaves_after - now
          break
        end
      end
    end
  end
  if wait > longest[1] then longest = { wait, i, least } end
end
if longest[1] > 0 then return { 'rule', longest[1], longest[2], longest[3] } end

local cost = tonumber(ARGV[6])
if cost > 0 then
  local budget, from, till = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
  local wanted = tonumber(redis.call('HGET', KEYS[5], ARGV[7]) or '0') + cost
  if wanted > released(budget, from, till, now) then
    return { 'money', released_at(budget, wanted, from, till) - now }
  end
  redis.call('HINCRBY', KEYS[5], ARGV[7], ARGV[6])
  redis.call('PEXPIRE', KEYS[5], ARGV[11])
end

for i = 1, #KEYS - 5 do
  local at = ${ADMIT_HEAD} + (i - 1) * ${ADMIT_RULE}
  local key = KEYS[5 + i]
  redis.call('HINCRBY', key, ARGV[at + 4], ARGV[at + 2])
  redis.call('HSET', key, 'limit', ARGV[at + 3], 'window', ARGV[at + 11], 'zone', ARGV[at + 12])
  if #forgotten[i] > 0 then redis.call('HDEL', key, unpack(forgotten[i])) end
  redis.call('PEXPIRE', key, ARGV[at + 10])
  list(KEYS[4], ARGV[at + 1], now)
end
if breaker[1] then redis.call('HSET', KEYS[2], 'probe', ARGV[4], 'probed', ARGV[1]) end
return { 'admitted' }
`

/**
 * Books how a call went: the breaker's state, what the platform said of its limit (of several words the most
 * cautious), and what it cost in place of what was reserved. Answers the cost, and whether the breaker
 * 'opened' or 'closed'.
 *
 * KEYS: breaker, breakers, money, paid, and the first rule's allowance where there is one.
 * ARGV: now, breaker's name, call's id, health, workspace ('' where nobody pays), reserved, lifetime of money and
 * paid, until when nobody calls (0), lower limit (''), until when that is believed, allowance's lifetime, for how
 * long whoever is out of order asks to be left alone (0), the bucket of now, the first that counts, how much is
 * spent by the platform's own count (''); and what was read, each object with its cost.
 */
export const SETTLE = `${LIST}
local now = tonumber(ARGV[1])
local went_well = ARGV[4] == 'ok'
local change = ''
-- Counted from so late that it stays open as long as was asked for.
local opened = now + math.max(0, tonumber(ARGV[12]) - ${OPEN_MS})
local breaker = redis.call('HMGET', KEYS[1], 'opened', 'probe', 'row', 'last')
if breaker[1] then
  if breaker[2] == ARGV[3] then
    redis.call('HDEL', KEYS[1], 'probe', 'probed')
    if went_well then
      redis.call('HDEL', KEYS[1], 'opened')
      change = 'closed'
    else
      redis.call('HSET', KEYS[1], 'opened', opened)
    end
  end
else
  local row, mark = 0, '0'
  if not went_well then row, mark = tonumber(breaker[3] or '0') + 1, '1' end
  local last = string.sub((breaker[4] or '') .. mark, -${LAST_CALLS})
  local _, failed = string.gsub(last, '1', '')
  local half_failed = #last == ${LAST_CALLS} and failed * 2 >= #last
  if not went_well and (row >= ${FAILURES_IN_A_ROW} or half_failed or tonumber(ARGV[12]) > 0) then
    redis.call('HSET', KEYS[1], 'opened', opened)
    redis.call('HDEL', KEYS[1], 'row', 'last')
    change = 'opened'
  else
    redis.call('HSET', KEYS[1], 'row', row, 'last', last)
  end
end
redis.call('HINCRBY', KEYS[1], ARGV[4], 1)
redis.call('PEXPIRE', KEYS[1], ${LISTED_MS})
list(KEYS[2], ARGV[2], now)

if KEYS[5] then
  local told = redis.call('HMGET', KEYS[5], 'until', 'lower', 'lower_until')
  if tonumber(ARGV[8]) > tonumber(told[1] or '0') then redis.call('HSET', KEYS[5], 'until', ARGV[8]) end
  if ARGV[9] ~= '' then
    local believed = told[2] and tonumber(told[3]) > now
    if not believed or tonumber(ARGV[9]) <= tonumber(told[2]) then
      redis.call('HSET', KEYS[5], 'lower', ARGV[9], 'lower_until', ARGV[10])
    end
  end
  if ARGV[15] ~= '' then
    -- Somebody else calls with the same credential, or what we knew was lost.
    local fields, used = redis.call('HGETALL', KEYS[5]), 0
    for f = 1, #fields, 2 do
      local bucket = tonumber(fields[f])
      if bucket and bucket >= tonumber(ARGV[14]) then used = used + tonumber(fields[f + 1]) end
    end
    local unknown = tonumber(ARGV[15]) - used
    if unknown > 0 then redis.call('HINCRBY', KEYS[5], ARGV[13], unknown) end
  end
  redis.call('PEXPIRE', KEYS[5], ARGV[11])
end

local cost = 0
for i = 16, #ARGV, 2 do
  if redis.call('SADD', KEYS[4], ARGV[i]) == 1 then cost = cost + tonumber(ARGV[i + 1]) end
end
if #ARGV >= 16 then redis.call('PEXPIRE', KEYS[4], ARGV[7]) end
local more = cost - tonumber(ARGV[6])
if ARGV[5] ~= '' and more ~= 0 then
  redis.call('HINCRBY', KEYS[3], ARGV[5], more)
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
return { cost, change }
`

/**
 * What is left of a workspace's money: spent, left for the moment, and when there will be more.
 * KEYS: money. ARGV: now, workspace, budget, day's start and end.
 */
export const MONEY_LEFT = `${PACE}
local now, budget = tonumber(ARGV[1]), tonumber(ARGV[3])
local from, till = tonumber(ARGV[4]), tonumber(ARGV[5])
local spent = tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '0')
local left = math.max(0, released(budget, from, till, now) - spent)
local more_at = released_at(budget, spent + left + 1, from, till)
return { spent, left, more_at }
`
