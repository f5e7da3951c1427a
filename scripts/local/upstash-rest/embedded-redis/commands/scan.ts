import { type Arguments, argument, OptionReader, parseInteger } from '../arguments.ts'
import { globMatcher } from '../glob.ts'
import { CommandError, syntaxError } from '../reply.ts'

interface ScanOptions<Item> {
  /** What is scanned; an item is matched by its name: itself, or its first element. */
  items: readonly Item[]
  args: Arguments
  /** Where in the arguments the cursor stands. */
  start: number
  allowsType: boolean
}

interface ScanPage<Item> {
  cursor: string
  items: Item[]
  type: string | undefined
}

/**
 * One page of a SCAN; the cursor is a position. Deletions between pages could shift items past the cursor,
 * so that an item is missed, where Redis would show it: the first page is therefore everything, unless the
 * collection is larger than a page of 10,000.
 */
const LEAST_PAGE = 10_000

/** @throws CommandError for a cursor or an option that is none. */
export function scanPage<Item extends string | readonly [string, string]>(
  options: ScanOptions<Item>,
): ScanPage<Item> {
  const { items, args, start } = options
  const cursorText = argument(args, start)
  if (!/^\d+$/.test(cursorText)) throw new CommandError('ERR invalid cursor')
  const cursor = Number(cursorText)
  let matches: (text: string) => boolean = () => true
  let pageSize = LEAST_PAGE
  let type: string | undefined
  const reader = new OptionReader(args, start + 1)
  for (let name = reader.next(); name !== undefined; name = reader.next()) {
    if (name === 'MATCH') matches = globMatcher(reader.value())
    else if (name === 'COUNT') {
      const count = parseInteger(reader.value())
      if (count < 1) throw syntaxError()
      pageSize = Math.max(count, LEAST_PAGE)
    } else if (name === 'TYPE' && options.allowsType) type = reader.value().toLowerCase()
    else throw syntaxError()
  }
  const end = cursor + pageSize
  const page = items.slice(cursor, end).filter((item) => matches(typeof item === 'string' ? item : item[0]))
  return { cursor: end >= items.length ? '0' : String(end), items: page, type }
}
