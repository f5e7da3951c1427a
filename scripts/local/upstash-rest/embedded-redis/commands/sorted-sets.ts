import { type Arguments, argument, formatFloat, parseCount, parseFloatArgument } from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, type Reply, syntaxError } from '../reply.ts'
import type { ScoredMember, SortedSet } from '../sorted-set.ts'
import { type CommandTable, reads, writes } from './command.ts'
import { scanPage } from './scan.ts'

interface AddOptions {
  flags: ReadonlySet<string>
  pairs: readonly ScoredMember[]
}

const ADD_FLAGS = ['NX', 'XX', 'GT', 'LT', 'CH', 'INCR']

function readAddOptions(args: Arguments): AddOptions {
  const flags = new Set<string>()
  let index = 1
  while (ADD_FLAGS.includes((args[index] ?? '').toUpperCase()))
    flags.add(argument(args, index++).toUpperCase())
  const words = args.slice(index)
  if (words.length === 0 || words.length % 2 !== 0) throw syntaxError()
  if (flags.has('NX') && flags.has('XX')) {
    throw new CommandError('ERR XX and NX options at the same time are not compatible')
  }
  if (['NX', 'GT', 'LT'].filter((flag) => flags.has(flag)).length > 1) {
    throw new CommandError('ERR GT, LT, and/or NX options at the same time are not compatible')
  }
  if (flags.has('INCR') && words.length > 2) {
    throw new CommandError('ERR INCR option supports a single increment-element pair')
  }
  const pairs: ScoredMember[] = []
  for (let at = 0; at < words.length; at += 2) {
    pairs.push({ score: parseFloatArgument(argument(words, at)), member: argument(words, at + 1) })
  }
  return { flags, pairs }
}

function add(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const { flags, pairs } = readAddOptions(args)
  const members = keyspace.sortedSetForWrite(key)
  let added = 0
  let changed = 0
  let incremented: number | null = null
  for (const { member, score } of pairs) {
    const old = members.score(member)
    const wanted = flags.has('INCR') ? sumOfScores(old ?? 0, score) : score
    if (!mayAdd(flags, old, wanted)) continue
    incremented = wanted
    if (old === undefined) added += 1
    else if (old !== wanted) changed += 1
    members.set(member, wanted)
  }
  keyspace.dropIfEmpty(key)
  if (flags.has('INCR')) return incremented === null ? null : formatFloat(incremented)
  return flags.has('CH') ? added + changed : added
}

function mayAdd(flags: ReadonlySet<string>, old: number | undefined, wanted: number): boolean {
  if (old === undefined) return !flags.has('XX')
  if (flags.has('NX')) return false
  if (flags.has('GT')) return wanted > old
  if (flags.has('LT')) return wanted < old
  return true
}

function sumOfScores(left: number, right: number): number {
  const sum = left + right
  if (Number.isNaN(sum)) throw new CommandError('ERR resulting score is not a number (NaN)')
  return sum
}

function pop(end: 'lowest' | 'highest') {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const key = argument(args, 0)
    const count = args[1] === undefined ? 1 : parseCount(args[1])
    if (args.length > 2) throw syntaxError()
    const members = keyspace.sortedSet(key)
    if (members === undefined) return []
    const amount = Math.min(count, members.size)
    const popped = members.removeAt(end === 'lowest' ? 0 : members.size - amount, amount)
    keyspace.dropIfEmpty(key)
    if (end === 'highest') popped.reverse()
    return popped.flatMap(({ member, score }) => [member, formatFloat(score)])
  }
}

function scoreOf(members: SortedSet | undefined, member: string): Reply {
  const score = members?.score(member)
  return score === undefined ? null : formatFloat(score)
}

export const sortedSetCommands: CommandTable = {
  zadd: writes(-4, add),
  zincrby: writes(4, (keyspace, args) => {
    const members = keyspace.sortedSet(argument(args, 0))
    const by = parseFloatArgument(argument(args, 1))
    const score = sumOfScores(members?.score(argument(args, 2)) ?? 0, by)
    keyspace.sortedSetForWrite(argument(args, 0)).set(argument(args, 2), score)
    return formatFloat(score)
  }),
  zrem: writes(-3, (keyspace, args) => {
    const members = keyspace.sortedSet(argument(args, 0))
    const removed = args.slice(1).filter((member) => members?.delete(member)).length
    keyspace.dropIfEmpty(argument(args, 0))
    return removed
  }),
  zscore: reads(3, (keyspace, args) => scoreOf(keyspace.sortedSet(argument(args, 0)), argument(args, 1))),
  zmscore: reads(-3, (keyspace, args) => {
    const members = keyspace.sortedSet(argument(args, 0))
    return args.slice(1).map((member) => scoreOf(members, member))
  }),
  zcard: reads(2, (keyspace, args) => keyspace.sortedSet(argument(args, 0))?.size ?? 0),
  zrank: reads(3, (keyspace, args) => keyspace.sortedSet(argument(args, 0))?.rank(argument(args, 1)) ?? null),
  zrevrank: reads(3, (keyspace, args) => {
    const members = keyspace.sortedSet(argument(args, 0))
    const rank = members?.rank(argument(args, 1))
    return members === undefined || rank === undefined ? null : members.size - 1 - rank
  }),
  zpopmin: writes(-2, pop('lowest')),
  zpopmax: writes(-2, pop('highest')),
  zscan: reads(-3, (keyspace, args) => {
    const ordered = keyspace.sortedSet(argument(args, 0))?.ordered ?? []
    const items = ordered.map(({ member, score }) => [member, formatFloat(score)] as const)
    const page = scanPage({ items, args, start: 1, allowsType: false })
    return [page.cursor, page.items.flat()]
  }),
}
