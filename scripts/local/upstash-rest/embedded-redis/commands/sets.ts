import { type Arguments, argument, OptionReader, parseCount, parseInteger } from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, type Reply, syntaxError } from '../reply.ts'
import { type CommandTable, reads, writes } from './command.ts'
import { randomSample } from './random-sample.ts'
import { scanPage } from './scan.ts'

type Combine = (sets: ReadonlySet<string>[]) => Set<string>

const union: Combine = (sets) => new Set(sets.flatMap((members) => [...members]))

const intersection: Combine = ([first, ...others]) =>
  new Set([...(first ?? [])].filter((member) => others.every((members) => members.has(member))))

const difference: Combine = ([first, ...others]) =>
  new Set([...(first ?? [])].filter((member) => !others.some((members) => members.has(member))))

function combined(keyspace: Keyspace, keys: Arguments, combine: Combine): Set<string> {
  return combine(keys.map((key) => keyspace.set(key) ?? new Set()))
}

function answers(combine: Combine) {
  return (keyspace: Keyspace, args: Arguments): Reply => [...combined(keyspace, args, combine)]
}

function stores(combine: Combine) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const target = argument(args, 0)
    const members = combined(keyspace, args.slice(1), combine)
    keyspace.delete(target)
    if (members.size === 0) return 0
    const stored = keyspace.setForWrite(target)
    for (const member of members) stored.add(member)
    return members.size
  }
}

function intersectionSize(keyspace: Keyspace, args: Arguments): Reply {
  const keyCount = parseInteger(argument(args, 0))
  if (keyCount < 1) throw new CommandError('ERR numkeys should be greater than 0')
  if (keyCount > args.length - 1) {
    throw new CommandError("ERR Number of keys can't be greater than number of args")
  }
  const reader = new OptionReader(args, keyCount + 1)
  let limit = 0
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (name !== 'LIMIT') throw syntaxError()
    limit = reader.integer()
    if (limit < 0) throw new CommandError("ERR LIMIT can't be negative")
  }
  const { size } = combined(keyspace, args.slice(1, keyCount + 1), intersection)
  return limit === 0 ? size : Math.min(size, limit)
}

function popMembers(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const count = args[1] === undefined ? undefined : parseCount(args[1])
  if (args.length > 2) throw syntaxError()
  const members = keyspace.set(key)
  const popped = randomSample([...(members ?? [])], count ?? 1)
  for (const member of popped) members?.delete(member)
  keyspace.dropIfEmpty(key)
  return count === undefined ? (popped[0] ?? null) : popped
}

function moveMember(keyspace: Keyspace, args: Arguments): Reply {
  const [from, to, member] = [argument(args, 0), argument(args, 1), argument(args, 2)]
  keyspace.set(to)
  if (!keyspace.set(from)?.delete(member)) return 0
  keyspace.setForWrite(to).add(member)
  keyspace.dropIfEmpty(from)
  return 1
}

export const setCommands: CommandTable = {
  sadd: writes(-3, (keyspace, args) => {
    const members = keyspace.setForWrite(argument(args, 0))
    const sizeBefore = members.size
    for (const member of args.slice(1)) members.add(member)
    return members.size - sizeBefore
  }),
  srem: writes(-3, (keyspace, args) => {
    const members = keyspace.set(argument(args, 0))
    const removed = args.slice(1).filter((member) => members?.delete(member)).length
    keyspace.dropIfEmpty(argument(args, 0))
    return removed
  }),
  smembers: reads(2, (keyspace, args) => [...(keyspace.set(argument(args, 0)) ?? [])]),
  sismember: reads(3, (keyspace, args) =>
    Number(keyspace.set(argument(args, 0))?.has(argument(args, 1)) ?? 0),
  ),
  smismember: reads(-3, (keyspace, args) => {
    const members = keyspace.set(argument(args, 0))
    return args.slice(1).map((member) => Number(members?.has(member) ?? 0))
  }),
  scard: reads(2, (keyspace, args) => keyspace.set(argument(args, 0))?.size ?? 0),
  spop: writes(-2, popMembers),
  srandmember: reads(-2, (keyspace, args) => {
    const members = [...(keyspace.set(argument(args, 0)) ?? [])]
    if (args.length > 2) throw syntaxError()
    if (args[1] === undefined) return randomSample(members, 1)[0] ?? null
    return randomSample(members, parseInteger(args[1]))
  }),
  smove: writes(4, moveMember),
  sunion: reads(-2, answers(union)),
  sinter: reads(-2, answers(intersection)),
  sdiff: reads(-2, answers(difference)),
  sunionstore: writes(-3, stores(union)),
  sinterstore: writes(-3, stores(intersection)),
  sdiffstore: writes(-3, stores(difference)),
  sintercard: reads(-3, intersectionSize),
  sscan: reads(-3, (keyspace, args) => {
    const items = [...(keyspace.set(argument(args, 0)) ?? [])]
    const page = scanPage({ items, args, start: 1, allowsType: false })
    return [page.cursor, page.items]
  }),
}
