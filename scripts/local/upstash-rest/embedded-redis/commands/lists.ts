import { type Arguments, argument, indexSpan, OptionReader, parseCount, parseInteger } from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import { CommandError, noSuchKey, OK, type Reply, syntaxError } from '../reply.ts'
import { type CommandTable, reads, writes } from './command.ts'

type End = 'LEFT' | 'RIGHT'

function push(end: End, onlyIfPresent = false) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const key = argument(args, 0)
    if (onlyIfPresent && keyspace.list(key) === undefined) return 0
    const items = keyspace.listForWrite(key)
    if (end === 'LEFT') items.unshift(...args.slice(1).reverse())
    else items.push(...args.slice(1))
    return items.length
  }
}

function pop(end: End) {
  return (keyspace: Keyspace, args: Arguments): Reply => {
    const key = argument(args, 0)
    const count = args[1] === undefined ? undefined : parseCount(args[1])
    const items = keyspace.list(key)
    if (items === undefined) return null
    const amount = Math.min(count ?? 1, items.length)
    const popped =
      end === 'LEFT' ? items.splice(0, amount) : items.splice(items.length - amount, amount).reverse()
    keyspace.dropIfEmpty(key)
    return count === undefined ? (popped[0] ?? null) : popped
  }
}

function move(keyspace: Keyspace, from: string, to: string, fromEnd: End, toEnd: End): Reply {
  keyspace.list(to)
  const source = keyspace.list(from)
  const item = fromEnd === 'LEFT' ? source?.shift() : source?.pop()
  if (item === undefined) return null
  const target = keyspace.listForWrite(to)
  if (toEnd === 'LEFT') target.unshift(item)
  else target.push(item)
  keyspace.dropIfEmpty(from)
  return item
}

function parseEnd(text: string): End {
  const end = text.toUpperCase()
  if (end !== 'LEFT' && end !== 'RIGHT') throw syntaxError()
  return end
}

function setItem(keyspace: Keyspace, args: Arguments): Reply {
  const items = keyspace.list(argument(args, 0))
  if (items === undefined) throw noSuchKey()
  const given = parseInteger(argument(args, 1))
  const index = given < 0 ? items.length + given : given
  if (index < 0 || index >= items.length) throw new CommandError('ERR index out of range')
  items[index] = argument(args, 2)
  return OK
}

function removeItems(keyspace: Keyspace, args: Arguments): Reply {
  const key = argument(args, 0)
  const count = parseInteger(argument(args, 1))
  const value = argument(args, 2)
  const items = keyspace.list(key)
  if (items === undefined) return 0
  let left = count === 0 ? items.length : Math.abs(count)
  let removed = 0
  const step = count < 0 ? -1 : 1
  for (let index = count < 0 ? items.length - 1 : 0; left > 0 && index >= 0 && index < items.length; ) {
    if (items[index] !== value) {
      index += step
      continue
    }
    items.splice(index, 1)
    if (step < 0) index -= 1
    left -= 1
    removed += 1
  }
  keyspace.dropIfEmpty(key)
  return removed
}

function insertItem(keyspace: Keyspace, args: Arguments): Reply {
  const where = argument(args, 1).toUpperCase()
  if (where !== 'BEFORE' && where !== 'AFTER') throw syntaxError()
  const items = keyspace.list(argument(args, 0))
  if (items === undefined) return 0
  const index = items.indexOf(argument(args, 2))
  if (index === -1) return -1
  items.splice(where === 'BEFORE' ? index : index + 1, 0, argument(args, 3))
  return items.length
}

function findItem(keyspace: Keyspace, args: Arguments): Reply {
  const reader = new OptionReader(args, 2)
  let rank = 1
  let count: number | undefined
  let maxLength = 0
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (name === 'RANK') rank = reader.integer()
    else if (name === 'COUNT') count = reader.integer()
    else if (name === 'MAXLEN') maxLength = reader.integer()
    else throw syntaxError()
  }
  if (rank === 0) {
    throw new CommandError(
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
    )
  }
  if ((count ?? 0) < 0) throw new CommandError("ERR COUNT can't be negative")
  if (maxLength < 0) throw new CommandError("ERR MAXLEN can't be negative")
  const items = keyspace.list(argument(args, 0)) ?? []
  const indices = items.map((_item, index) => index)
  const ordered = rank < 0 ? indices.reverse() : indices
  const searched = maxLength === 0 ? ordered : ordered.slice(0, maxLength)
  const found = searched.filter((index) => items[index] === argument(args, 1)).slice(Math.abs(rank) - 1)
  if (count === undefined) return found[0] ?? null
  return count === 0 ? found : found.slice(0, count)
}

export const listCommands: CommandTable = {
  lpush: writes(-3, push('LEFT')),
  rpush: writes(-3, push('RIGHT')),
  lpushx: writes(-3, push('LEFT', true)),
  rpushx: writes(-3, push('RIGHT', true)),
  lpop: writes(-2, pop('LEFT')),
  rpop: writes(-2, pop('RIGHT')),
  llen: reads(2, (keyspace, args) => keyspace.list(argument(args, 0))?.length ?? 0),
  lrange: reads(4, (keyspace, args) => {
    const items = keyspace.list(argument(args, 0)) ?? []
    const span = indexSpan(parseInteger(argument(args, 1)), parseInteger(argument(args, 2)), items.length)
    return items.slice(span.start, span.end)
  }),
  lindex: reads(3, (keyspace, args) => {
    const index = parseInteger(argument(args, 1))
    return keyspace.list(argument(args, 0))?.at(index) ?? null
  }),
  lset: writes(4, setItem),
  lrem: writes(4, removeItems),
  ltrim: writes(4, (keyspace, args) => {
    const items = keyspace.list(argument(args, 0)) ?? []
    const span = indexSpan(parseInteger(argument(args, 1)), parseInteger(argument(args, 2)), items.length)
    items.splice(span.end)
    items.splice(0, span.start)
    keyspace.dropIfEmpty(argument(args, 0))
    return OK
  }),
  linsert: writes(5, insertItem),
  lpos: reads(-3, findItem),
  lmove: writes(5, (keyspace, args) =>
    move(
      keyspace,
      argument(args, 0),
      argument(args, 1),
      parseEnd(argument(args, 2)),
      parseEnd(argument(args, 3)),
    ),
  ),
  rpoplpush: writes(3, (keyspace, args) =>
    move(keyspace, argument(args, 0), argument(args, 1), 'RIGHT', 'LEFT'),
  ),
}
