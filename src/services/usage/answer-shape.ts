const MAX_DEPTH = 6
const MAX_NAMES = 40
const MAX_ENTRIES = 3
/** Names that may be somebody's id rather than a field's. */
const TELLING_NAME = /^[A-Za-z_$][A-Za-z_$.-]{0,39}$/u

/**
 * The shape of an answer: names of fields and kinds of values, with none of the values, which may be anybody's
 * words or secrets. Bounded in depth and width.
 */
export function shapeOf(value: unknown, depth = 0): unknown {
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    const entries: unknown[] = value
    if (depth >= MAX_DEPTH) return `list of ${entries.length}`
    return entries.slice(0, MAX_ENTRIES).map((entry) => shapeOf(entry, depth + 1))
  }
  if (typeof value === 'object') {
    if (depth >= MAX_DEPTH) return 'object'
    const named = Object.entries(value).slice(0, MAX_NAMES)
    return Object.fromEntries(
      named.map(([name, entry]) => [TELLING_NAME.test(name) ? name : '…', shapeOf(entry, depth + 1)]),
    )
  }
  return value === undefined ? 'no JSON' : typeof value
}
