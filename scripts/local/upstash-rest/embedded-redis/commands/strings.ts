import {
  type Arguments,
  addFloats,
  argument,
  expiryFrom,
  formatFloat,
  indexSpan,
  OptionReader,
  parseFloatArgument,
  parseInteger,
} from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, OK, type Reply, syntaxError, wrongArgumentCount } from '../reply.ts'
import { type CommandTable, reads, writes } from './command.ts'

const MAX_STRING_BYTES = 512 * 1024 * 1024

interface SetOptions {
  onlyIf?: 'absent' | 'present'
  returnsOld: boolean
  keepExpiry: boolean
  expiry?: { unit: string; amount: string }
}

function set(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const options = readSetOptions(args)
  const expiresAtMs =
    options.expiry && expiryFrom({ ...options.expiry, nowMs: keyspace.nowMs, command: 'set' })
  const old = options.returnsOld ? (keyspace.string(key) ?? null) : null
  const wanted = options.onlyIf === undefined || (options.onlyIf === 'present') === keyspace.has(key)
  if (wanted) putString(keyspace, key, argument(args, 1), expiresAtMs, options.keepExpiry)
  if (options.returnsOld) return old
  return wanted ? OK : null
}

function readSetOptions(args: Arguments): SetOptions {
  const options: SetOptions = { returnsOld: false, keepExpiry: false }
  const reader = new OptionReader(args, 2)
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (name === 'GET') options.returnsOld = true
    else if ((name === 'NX' || name === 'XX') && options.onlyIf === undefined) {
      options.onlyIf = name === 'NX' ? 'absent' : 'present'
    } else if (name === 'KEEPTTL' && !options.expiry) options.keepExpiry = true
    else if (/^(EX|PX)(AT)?$/.test(name) && !options.expiry && !options.keepExpiry) {
      options.expiry = { unit: name, amount: reader.value() }
    } else throw syntaxError()
  }
  return options
}

function getWithExpiry(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const reader = new OptionReader(args, 1)
  const unit = reader.next()
  const persists = unit === 'PERSIST'
  if (unit !== undefined && !persists && !/^(EX|PX)(AT)?$/.test(unit)) throw syntaxError()
  const amount = unit !== undefined && !persists ? reader.value() : undefined
  if (reader.next() !== undefined) throw syntaxError()
  const value = keyspace.string(key)
  if (value === undefined) return null
  if (persists) keyspace.setExpiry(key, null)
  else if (unit !== undefined && amount !== undefined) {
    keyspace.setExpiry(key, expiryFrom({ unit, amount, nowMs: keyspace.nowMs, command: 'getex' }))
  }
  return value
}

function setWithExpiry(unit: 'EX' | 'PX', command: string) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const expiresAtMs = expiryFrom({ unit, amount: argument(args, 1), nowMs: keyspace.nowMs, command })
    putString(keyspace, argument(args, 0), argument(args, 2), expiresAtMs)
    return OK
  }
}

function putString(
  keyspace: Keyspace,
  key: string,
  value: string,
  expiresAtMs?: number,
  keepExpiry = false,
): void {
  keyspace.putString(key, value, { keepExpiry, ...(expiresAtMs !== undefined && { expiresAtMs }) })
}

function increment(keyspace: Keyspace, key: string, by: number): Reply {
  const sum = parseInteger(keyspace.string(key) ?? '0') + by
  if (!Number.isSafeInteger(sum)) throw new CommandError('ERR increment or decrement would overflow')
  keyspace.putString(key, String(sum), { keepExpiry: true })
  return sum
}

function setMany(keyspace: Keyspace, args: Arguments, command: string): void {
  if (args.length % 2 !== 0) throw wrongArgumentCount(command)
  for (let index = 0; index < args.length; index += 2) {
    keyspace.putString(argument(args, index), argument(args, index + 1))
  }
}

function setRange(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const offset = parseInteger(argument(args, 1))
  const patch = argument(args, 2)
  if (offset < 0) throw new CommandError('ERR offset is out of range')
  if (offset + patch.length > MAX_STRING_BYTES) {
    throw new CommandError('ERR string exceeds maximum allowed size (proto-max-bulk-len)')
  }
  const old = keyspace.string(key) ?? ''
  if (patch.length === 0) return old.length
  const value = old.slice(0, offset).padEnd(offset, '\0') + patch + old.slice(offset + patch.length)
  keyspace.putString(key, value, { keepExpiry: true })
  return value.length
}

export const stringCommands: CommandTable = {
  get: reads(2, (keyspace, args) => keyspace.string(argument(args, 0)) ?? null),
  set: writes(-3, set),
  setnx: writes(3, (keyspace, args) => {
    const key = argument(args, 0)
    if (keyspace.has(key)) return 0
    keyspace.putString(key, argument(args, 1))
    return 1
  }),
  setex: writes(4, setWithExpiry('EX', 'setex')),
  psetex: writes(4, setWithExpiry('PX', 'psetex')),
  getset: writes(3, (keyspace, args) => {
    const key = argument(args, 0)
    const old = keyspace.string(key) ?? null
    keyspace.putString(key, argument(args, 1))
    return old
  }),
  getdel: writes(2, (keyspace, args) => {
    const key = argument(args, 0)
    const old = keyspace.string(key) ?? null
    keyspace.delete(key)
    return old
  }),
  getex: writes(-2, getWithExpiry),
  mget: reads(-2, (keyspace, args) =>
    args.map((key) => (keyspace.type(key) === 'string' ? (keyspace.string(key) ?? null) : null)),
  ),
  mset: writes(-3, (keyspace, args) => {
    setMany(keyspace, args, 'mset')
    return OK
  }),
  msetnx: writes(-3, (keyspace, args) => {
    if (args.some((key, index) => index % 2 === 0 && keyspace.has(key))) return 0
    setMany(keyspace, args, 'msetnx')
    return 1
  }),
  append: writes(3, (keyspace, args) => {
    const value = (keyspace.string(argument(args, 0)) ?? '') + argument(args, 1)
    keyspace.putString(argument(args, 0), value, { keepExpiry: true })
    return value.length
  }),
  strlen: reads(2, (keyspace, args) => keyspace.string(argument(args, 0))?.length ?? 0),
  incr: writes(2, (keyspace, args) => increment(keyspace, argument(args, 0), 1)),
  decr: writes(2, (keyspace, args) => increment(keyspace, argument(args, 0), -1)),
  incrby: writes(3, (keyspace, args) =>
    increment(keyspace, argument(args, 0), parseInteger(argument(args, 1))),
  ),
  decrby: writes(3, (keyspace, args) =>
    increment(keyspace, argument(args, 0), -parseInteger(argument(args, 1))),
  ),
  incrbyfloat: writes(3, (keyspace, args) => {
    const key = argument(args, 0)
    const by = parseFloatArgument(argument(args, 1))
    const sum = addFloats(parseFloatArgument(keyspace.string(key) ?? '0'), by)
    if (!Number.isFinite(sum)) throw new CommandError('ERR increment would produce NaN or Infinity')
    keyspace.putString(key, formatFloat(sum), { keepExpiry: true })
    return formatFloat(sum)
  }),
  getrange: reads(4, (keyspace, args) => {
    const value = keyspace.string(argument(args, 0)) ?? ''
    const span = indexSpan(parseInteger(argument(args, 1)), parseInteger(argument(args, 2)), value.length)
    return value.slice(span.start, span.end)
  }),
  setrange: writes(4, setRange),
}
