import {
  type Arguments,
  argument,
  formatFloat,
  indexSpan,
  OptionReader,
  parseFloatArgument,
  parseInteger,
} from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, type Reply, syntaxError } from '../reply.ts'
import type { ScoreBound, ScoredMember, SortedSet } from '../sorted-set.ts'
import { type CommandTable, reads, writes } from './command.ts'

type RangeKind = 'rank' | 'score' | 'lex'

interface RangeOptions {
  kind: RangeKind
  reversed: boolean
  withScores: boolean
  limit?: { offset: number; count: number }
}

interface Span {
  start: number
  end: number
}

function parseScoreBound(text: string): ScoreBound {
  const exclusive = text.startsWith('(')
  const notANumber = () => new CommandError('ERR min or max is not a float')
  return { score: parseFloatArgument(exclusive ? text.slice(1) : text, notANumber), exclusive }
}

/** A test whether a member lies on the inner side of a lexical bound. */
function lexicalBound(text: string, side: 'min' | 'max'): (member: string) => boolean {
  if (text === '-') return () => side === 'min'
  if (text === '+') return () => side === 'max'
  const value = text.slice(1)
  const inclusive = text.startsWith('[')
  if (!inclusive && !text.startsWith('(')) {
    throw new CommandError('ERR min or max not valid string range item')
  }
  return (member) =>
    side === 'min'
      ? member > value || (inclusive && member === value)
      : member < value || (inclusive && member === value)
}

/** The ascending span that a range command means; bounds are parsed even where there is no key. */
function spanOf(
  members: SortedSet | undefined,
  kind: RangeKind,
  first: string,
  second: string,
  reversed: boolean,
): Span {
  if (kind === 'rank') {
    const size = members?.size ?? 0
    const span = indexSpan(parseInteger(first), parseInteger(second), size)
    return reversed ? { start: size - span.end, end: size - span.start } : span
  }
  const [min, max] = reversed ? [second, first] : [first, second]
  if (kind === 'score') {
    const bounds = [parseScoreBound(min), parseScoreBound(max)] as const
    return members?.scoreSpan(...bounds) ?? { start: 0, end: 0 }
  }
  const aboveMin = lexicalBound(min, 'min')
  const belowMax = lexicalBound(max, 'max')
  const ordered = members?.ordered ?? []
  const start = ordered.findIndex(({ member }) => aboveMin(member))
  const last = ordered.findLastIndex(({ member }) => belowMax(member))
  return start === -1 ? { start: 0, end: 0 } : { start, end: Math.max(start, last + 1) }
}

function range(keyspace: Keyspace, args: Arguments, options: RangeOptions): readonly ScoredMember[] {
  const members = keyspace.sortedSet(argument(args, 0))
  const span = spanOf(members, options.kind, argument(args, 1), argument(args, 2), options.reversed)
  const found = (members?.ordered ?? []).slice(Math.max(0, span.start), Math.max(0, span.end))
  if (options.reversed) found.reverse()
  if (options.limit === undefined) return found
  const { offset, count } = options.limit
  if (offset < 0) return []
  return found.slice(offset, count < 0 ? undefined : offset + count)
}

function toReply(found: readonly ScoredMember[], withScores: boolean): Reply {
  return withScores
    ? found.flatMap(({ member, score }) => [member, formatFloat(score)])
    : found.map(({ member }) => member)
}

function readLimit(reader: OptionReader): { offset: number; count: number } {
  return { offset: reader.integer(), count: reader.integer() }
}

function readRangeOptions(args: Arguments): RangeOptions {
  const options: RangeOptions = { kind: 'rank', reversed: false, withScores: false }
  const reader = new OptionReader(args, 3)
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (name === 'BYSCORE') options.kind = 'score'
    else if (name === 'BYLEX') options.kind = 'lex'
    else if (name === 'REV') options.reversed = true
    else if (name === 'WITHSCORES') options.withScores = true
    else if (name === 'LIMIT') options.limit = readLimit(reader)
    else throw syntaxError()
  }
  if (options.limit && options.kind === 'rank') {
    throw new CommandError(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    )
  }
  if (options.withScores && options.kind === 'lex') {
    throw new CommandError('ERR syntax error, WITHSCORES not supported in combination with BYLEX')
  }
  return options
}

/** The older commands, whose name says the kind and the direction. */
function namedRange(kind: RangeKind, reversed: boolean) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const options: RangeOptions = { kind, reversed, withScores: false }
    const reader = new OptionReader(args, 3)
    for (let name = reader.next(); name !== undefined; name = reader.next()) {
      if (name === 'WITHSCORES' && kind !== 'lex') options.withScores = true
      else if (name === 'LIMIT' && kind !== 'rank') options.limit = readLimit(reader)
      else throw syntaxError()
    }
    return toReply(range(keyspace, args, options), options.withScores)
  }
}

function storeRange(keyspace: Keyspace, args: Arguments): Reply {
  const options = readRangeOptions(args.slice(1))
  if (options.withScores) throw syntaxError()
  const found = [...range(keyspace, args.slice(1), options)]
  const target = argument(args, 0)
  keyspace.delete(target)
  if (found.length === 0) return 0
  const stored = keyspace.sortedSetForWrite(target)
  for (const { member, score } of found) stored.set(member, score)
  return found.length
}

function count(kind: 'score' | 'lex') {
  return (keyspace: Keyspace, args: Arguments): Reply =>
    range(keyspace, args, { kind, reversed: false, withScores: false }).length
}

function removeRange(kind: RangeKind) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const members = keyspace.sortedSet(argument(args, 0))
    const span = spanOf(members, kind, argument(args, 1), argument(args, 2), false)
    const removed = members?.removeAt(span.start, span.end - span.start).length ?? 0
    keyspace.dropIfEmpty(argument(args, 0))
    return removed
  }
}

export const sortedSetRangeCommands: CommandTable = {
  zrange: reads(-4, (keyspace, args) => {
    const options = readRangeOptions(args)
    return toReply(range(keyspace, args, options), options.withScores)
  }),
  zrangestore: writes(-5, storeRange),
  zrevrange: reads(-4, namedRange('rank', true)),
  zrangebyscore: reads(-4, namedRange('score', false)),
  zrevrangebyscore: reads(-4, namedRange('score', true)),
  zrangebylex: reads(-4, namedRange('lex', false)),
  zrevrangebylex: reads(-4, namedRange('lex', true)),
  zcount: reads(4, count('score')),
  zlexcount: reads(4, count('lex')),
  zremrangebyrank: writes(4, removeRange('rank')),
  zremrangebyscore: writes(4, removeRange('score')),
  zremrangebylex: writes(4, removeRange('lex')),
}
