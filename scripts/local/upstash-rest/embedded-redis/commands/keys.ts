import { type Arguments, argument, OptionReader, parseInteger } from '../arguments.ts'
import { globMatcher } from '../glob.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, noSuchKey, notAnInteger, OK, type Reply, Status, syntaxError } from '../reply.ts'
import { type CommandTable, reads, writes } from './command.ts'
import { scanPage } from './scan.ts'

function expire(options: { unitMs: number; absolute: boolean; command: string }) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const key = argument(args, 0)
    const amountMs = parseInteger(argument(args, 1)) * options.unitMs
    const expiresAtMs = (options.absolute ? 0 : keyspace.nowMs) + amountMs
    if (!Number.isSafeInteger(expiresAtMs)) {
      throw new CommandError(`ERR invalid expire time in '${options.command}' command`)
    }
    const allowed = expiryCondition(args)
    const current = keyspace.expiresAtMs(key)
    if (current === undefined || !allowed(current, expiresAtMs)) return 0
    keyspace.setExpiry(key, expiresAtMs)
    return 1
  }
}

/** NX, XX, GT and LT; a key without expiry counts as living for ever. */
function expiryCondition(args: Arguments): (current: number | null, wanted: number) => boolean {
  const given = new Set<string>()
  const reader = new OptionReader(args, 2)
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (!['NX', 'XX', 'GT', 'LT'].includes(name)) throw new CommandError(`ERR Unsupported option ${name}`)
    given.add(name)
  }
  if (given.has('NX') && given.size > 1) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible')
  }
  if (given.has('GT') && given.has('LT')) {
    throw new CommandError('ERR GT and LT options at the same time are not compatible')
  }
  return (current, wanted) =>
    !(given.has('NX') && current !== null) &&
    !(given.has('XX') && current === null) &&
    !(given.has('GT') && wanted <= (current ?? Infinity)) &&
    !(given.has('LT') && wanted >= (current ?? Infinity))
}

function timeToLive(unitMs: number) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const expiresAtMs = keyspace.expiresAtMs(argument(args, 0))
    if (expiresAtMs === undefined) return -2
    return expiresAtMs === null ? -1 : Math.max(0, Math.round((expiresAtMs - keyspace.nowMs) / unitMs))
  }
}

function expiryTime(unitMs: number) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const expiresAtMs = keyspace.expiresAtMs(argument(args, 0))
    if (expiresAtMs === undefined) return -2
    return expiresAtMs === null ? -1 : Math.floor(expiresAtMs / unitMs)
  }
}

const deleteKeys = writes(-2, (keyspace, args) => args.filter((key) => keyspace.delete(key)).length)
const countKeys = reads(-2, (keyspace, args) => args.filter((key) => keyspace.has(key)).length)
const flush = writes(-1, (keyspace, args) => {
  if (args.length > 1 || (args[0] !== undefined && !/^(A?SYNC)$/i.test(args[0]))) throw syntaxError()
  keyspace.clear()
  return OK
})

function copy(keyspace: Keyspace, args: Arguments): Reply {
  const to = argument(args, 1)
  const reader = new OptionReader(args, 2)
  let replaces = false
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (name !== 'REPLACE') throw syntaxError()
    replaces = true
  }
  if (argument(args, 0) === to) throw new CommandError('ERR source and destination objects are the same')
  if (keyspace.has(to) && !replaces) return 0
  return keyspace.copy(argument(args, 0), to) ? 1 : 0
}

function scan(keyspace: Keyspace, args: Arguments): Reply {
  const page = scanPage({ items: keyspace.keys(), args, start: 0, allowsType: true })
  const { type } = page
  const ofType = type === undefined ? page.items : page.items.filter((key) => keyspace.type(key) === type)
  return [page.cursor, ofType]
}

export const keyCommands: CommandTable = {
  del: deleteKeys,
  unlink: deleteKeys,
  exists: countKeys,
  touch: countKeys,
  type: reads(2, (keyspace, args) => new Status(keyspace.type(argument(args, 0)) ?? 'none')),
  expire: writes(-3, expire({ unitMs: 1000, absolute: false, command: 'expire' })),
  pexpire: writes(-3, expire({ unitMs: 1, absolute: false, command: 'pexpire' })),
  expireat: writes(-3, expire({ unitMs: 1000, absolute: true, command: 'expireat' })),
  pexpireat: writes(-3, expire({ unitMs: 1, absolute: true, command: 'pexpireat' })),
  ttl: reads(2, timeToLive(1000)),
  pttl: reads(2, timeToLive(1)),
  expiretime: reads(2, expiryTime(1000)),
  pexpiretime: reads(2, expiryTime(1)),
  persist: writes(2, (keyspace, args) => {
    if (typeof keyspace.expiresAtMs(argument(args, 0)) !== 'number') return 0
    keyspace.setExpiry(argument(args, 0), null)
    return 1
  }),
  rename: writes(3, (keyspace, args) => {
    if (!keyspace.rename(argument(args, 0), argument(args, 1))) throw noSuchKey()
    return OK
  }),
  renamenx: writes(3, (keyspace, args) => {
    if (!keyspace.has(argument(args, 0))) throw noSuchKey()
    if (keyspace.has(argument(args, 1))) return 0
    keyspace.rename(argument(args, 0), argument(args, 1))
    return 1
  }),
  copy: writes(-3, copy),
  keys: reads(2, (keyspace, args) => keyspace.keys().filter(globMatcher(argument(args, 0)))),
  scan: reads(-2, scan),
  randomkey: reads(1, (keyspace) => {
    const keys = keyspace.keys()
    return keys[Math.floor(Math.random() * keys.length)] ?? null
  }),
  dbsize: reads(1, (keyspace) => keyspace.keys().length),
  flushdb: flush,
  flushall: flush,
  time: reads(1, (keyspace) => {
    const nowMs = keyspace.nowMs
    return [String(Math.floor(nowMs / 1000)), String((nowMs % 1000) * 1000)]
  }),
  ping: reads(-1, (_keyspace, args) => args[0] ?? new Status('PONG')),
  echo: reads(2, (_keyspace, args) => argument(args, 0)),
  select: reads(2, (_keyspace, args) => {
    if (!/^-?\d+$/.test(argument(args, 0))) throw notAnInteger()
    if (argument(args, 0) !== '0') throw new CommandError('ERR DB index is out of range')
    return OK
  }),
  info: reads(-1, () => '# Server\r\nredis_version:7.0.0\r\nredis_mode:embedded\r\nloading:0\r\n'),
}
