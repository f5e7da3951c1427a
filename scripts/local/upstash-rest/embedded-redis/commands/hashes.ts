import {
  type Arguments,
  addFloats,
  argument,
  formatFloat,
  parseFloatArgument,
  parseInteger,
} from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, OK, type Reply, syntaxError, wrongArgumentCount } from '../reply.ts'
import { type CommandTable, reads, writes } from './command.ts'
import { randomSample } from './random-sample.ts'
import { scanPage } from './scan.ts'

function setFields(keyspace: Keyspace, args: Arguments, command: string): number {
  if (args.length % 2 === 0) throw wrongArgumentCount(command)
  const fields = keyspace.hashForWrite(argument(args, 0))
  const sizeBefore = fields.size
  for (let index = 1; index < args.length; index += 2) {
    fields.set(argument(args, index), argument(args, index + 1))
  }
  return fields.size - sizeBefore
}

function incrementField(keyspace: Keyspace, args: Arguments): Reply {
  const by = parseInteger(argument(args, 2))
  const old = keyspace.hash(argument(args, 0))?.get(argument(args, 1)) ?? '0'
  if (!/^(0|-?[1-9]\d*)$/.test(old)) throw new CommandError('ERR hash value is not an integer')
  const sum = Number(old) + by
  if (!Number.isSafeInteger(sum)) throw new CommandError('ERR increment or decrement would overflow')
  keyspace.hashForWrite(argument(args, 0)).set(argument(args, 1), String(sum))
  return sum
}

function incrementFieldByFloat(keyspace: Keyspace, args: Arguments): Reply {
  const by = parseFloatArgument(argument(args, 2))
  const old = keyspace.hash(argument(args, 0))?.get(argument(args, 1)) ?? '0'
  const sum = addFloats(
    parseFloatArgument(old, () => new CommandError('ERR hash value is not a float')),
    by,
  )
  if (!Number.isFinite(sum)) throw new CommandError('ERR increment would produce NaN or Infinity')
  keyspace.hashForWrite(argument(args, 0)).set(argument(args, 1), formatFloat(sum))
  return formatFloat(sum)
}

function deleteFields(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const fields = keyspace.hash(key)
  const deleted = args.slice(1).filter((field) => fields?.delete(field)).length
  keyspace.dropIfEmpty(key)
  return deleted
}

function randomFields(keyspace: Keyspace, args: Arguments): Reply {
  const entries = [...(keyspace.hash(argument(args, 0)) ?? [])]
  if (args[1] === undefined) return randomSample(entries, 1)[0]?.[0] ?? null
  if (args.length > 3 || (args[2] !== undefined && args[2].toUpperCase() !== 'WITHVALUES'))
    throw syntaxError()
  const sample = randomSample(entries, parseInteger(args[1]))
  return args[2] === undefined ? sample.map(([field]) => field) : sample.flat()
}

export const hashCommands: CommandTable = {
  hset: writes(-4, (keyspace, args) => setFields(keyspace, args, 'hset')),
  hmset: writes(-4, (keyspace, args) => {
    setFields(keyspace, args, 'hmset')
    return OK
  }),
  hsetnx: writes(4, (keyspace, args) => {
    if (keyspace.hash(argument(args, 0))?.has(argument(args, 1))) return 0
    keyspace.hashForWrite(argument(args, 0)).set(argument(args, 1), argument(args, 2))
    return 1
  }),
  hget: reads(3, (keyspace, args) => keyspace.hash(argument(args, 0))?.get(argument(args, 1)) ?? null),
  hmget: reads(-3, (keyspace, args) => {
    const fields = keyspace.hash(argument(args, 0))
    return args.slice(1).map((field) => fields?.get(field) ?? null)
  }),
  hgetall: reads(2, (keyspace, args) => [...(keyspace.hash(argument(args, 0)) ?? [])].flat()),
  hkeys: reads(2, (keyspace, args) => [...(keyspace.hash(argument(args, 0))?.keys() ?? [])]),
  hvals: reads(2, (keyspace, args) => [...(keyspace.hash(argument(args, 0))?.values() ?? [])]),
  hlen: reads(2, (keyspace, args) => keyspace.hash(argument(args, 0))?.size ?? 0),
  hexists: reads(3, (keyspace, args) =>
    Number(keyspace.hash(argument(args, 0))?.has(argument(args, 1)) ?? 0),
  ),
  hstrlen: reads(
    3,
    (keyspace, args) => keyspace.hash(argument(args, 0))?.get(argument(args, 1))?.length ?? 0,
  ),
  hdel: writes(-3, deleteFields),
  hincrby: writes(4, incrementField),
  hincrbyfloat: writes(4, incrementFieldByFloat),
  hrandfield: reads(-2, randomFields),
  hscan: reads(-3, (keyspace, args) => {
    const items = [...(keyspace.hash(argument(args, 0)) ?? [])]
    const page = scanPage({ items, args, start: 1, allowsType: false })
    return [page.cursor, page.items.flat()]
  }),
}
