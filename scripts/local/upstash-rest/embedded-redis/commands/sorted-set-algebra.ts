import {
  type Arguments,
  argument,
  formatFloat,
  OptionReader,
  parseFloatArgument,
  parseInteger,
} from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, type Reply, syntaxError } from '../reply.ts'
import { SortedSet } from '../sorted-set.ts'
import { type CommandTable, reads, writes } from './command.ts'

type Operation = 'union' | 'intersection' | 'difference'

interface Request {
  sources: ReadonlyMap<string, number>[]
  weights: number[]
  aggregate: (left: number, right: number) => number
  withScores: boolean
}

const AGGREGATES: Readonly<Record<string, Request['aggregate']>> = {
  SUM: (left, right) => left + right,
  MIN: Math.min,
  MAX: Math.max,
}

/** A sorted set's scores; a plain set counts as one whose scores are all 1. */
function scoresOf(keyspace: Keyspace, key: string): ReadonlyMap<string, number> {
  if (keyspace.type(key) === 'set') {
    return new Map([...(keyspace.set(key) ?? [])].map((member) => [member, 1]))
  }
  const ordered = keyspace.sortedSet(key)?.ordered ?? []
  return new Map(ordered.map(({ member, score }) => [member, score]))
}

function readRequest(
  keyspace: Keyspace,
  args: Arguments,
  options: { command: string; operation: Operation; stores: boolean },
): Request {
  const keyCount = parseInteger(argument(args, 0))
  if (keyCount < 1) {
    throw new CommandError(`ERR at least 1 input key is needed for '${options.command}' command`)
  }
  if (keyCount > args.length - 1) throw syntaxError()
  const keys = args.slice(1, keyCount + 1)
  const request: Request = {
    sources: keys.map((key) => scoresOf(keyspace, key)),
    weights: keys.map(() => 1),
    aggregate: (left, right) => left + right,
    withScores: false,
  }
  const reader = new OptionReader(args, keyCount + 1)
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    const combines = options.operation !== 'difference'
    if (name === 'WEIGHTS' && combines) request.weights = keys.map(() => readWeight(reader))
    else if (name === 'AGGREGATE' && combines) {
      const aggregate = AGGREGATES[reader.value().toUpperCase()]
      if (aggregate === undefined) throw syntaxError()
      request.aggregate = aggregate
    } else if (name === 'WITHSCORES' && !options.stores) request.withScores = true
    else throw syntaxError()
  }
  return request
}

function readWeight(reader: OptionReader): number {
  return parseFloatArgument(reader.value(), () => new CommandError('ERR weight value is not a float'))
}

function compute(operation: Operation, request: Request): SortedSet {
  const { sources, weights, aggregate } = request
  const result = new Map<string, number>()
  for (const [index, source] of sources.entries()) {
    for (const [member, score] of source) {
      const weighted = score * (weights[index] ?? 1) || 0
      const old = result.get(member)
      if (operation === 'difference') {
        if (index === 0) result.set(member, score)
        else result.delete(member)
      } else result.set(member, old === undefined ? weighted : aggregate(old, weighted) || 0)
    }
  }
  const sorted = new SortedSet()
  for (const [member, score] of result) {
    if (operation === 'intersection' && !sources.every((source) => source.has(member))) continue
    sorted.set(member, score)
  }
  return sorted
}

function answers(operation: Operation, command: string) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const request = readRequest(keyspace, args, { command, operation, stores: false })
    const { ordered } = compute(operation, request)
    return request.withScores
      ? ordered.flatMap(({ member, score }) => [member, formatFloat(score)])
      : ordered.map(({ member }) => member)
  }
}

function stores(operation: Operation, command: string) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const request = readRequest(keyspace, args.slice(1), { command, operation, stores: true })
    const { ordered } = compute(operation, request)
    const target = argument(args, 0)
    keyspace.delete(target)
    if (ordered.length === 0) return 0
    const stored = keyspace.sortedSetForWrite(target)
    for (const { member, score } of ordered) stored.set(member, score)
    return ordered.length
  }
}

export const sortedSetAlgebraCommands: CommandTable = {
  zunion: reads(-3, answers('union', 'zunion')),
  zinter: reads(-3, answers('intersection', 'zinter')),
  zdiff: reads(-3, answers('difference', 'zdiff')),
  zunionstore: writes(-4, stores('union', 'zunionstore')),
  zinterstore: writes(-4, stores('intersection', 'zinterstore')),
  zdiffstore: writes(-4, stores('difference', 'zdiffstore')),
}
