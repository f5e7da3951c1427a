interface RefusedValue {
  /** `undefined` where there is none. */
  value: unknown
  why: string
}

interface Reading {
  refused: RefusedValue[]
  /** When posts were written that are known already, in milliseconds since 1970 by id. */
  knownMoments: ReadonlyMap<string, number>
}

const NO_MOMENTS: ReadonlyMap<string, number> = new Map()

/**
 * What is being read. Fields are read by schemas that know nothing of where they stand, and reading is never
 * interrupted, so that there is one at a time.
 */
let current: Reading | null = null

/**
 * Says of a value within what is being read that it is not used, as it cannot be true.
 * @param value as it was sent; `undefined` where it is missing
 * @param why what is said after the name of its field or, where it is missing, a sentence by itself
 */
export function refuseValue(value: unknown, why: string): void {
  current?.refused.push({ value, why })
}

/** When a post was written that is known already; `null` where that is not known. */
export function knownMomentOf(id: string): number | null {
  return current?.knownMoments.get(id) ?? null
}

/**
 * Runs what reads a part of an answer, without interruption.
 * @param knownMoments when posts were written that are known already, in milliseconds since 1970 by id
 * @returns what it gives, and what is wrong with values that it refused, by the names of their fields
 */
export function noticing<T>(
  part: unknown,
  read: () => T,
  knownMoments: ReadonlyMap<string, number> = NO_MOMENTS,
): { value: T; problems: string[] } {
  const outer = current
  const reading: Reading = { refused: [], knownMoments }
  current = reading
  try {
    const value = read()
    const problems = new Set<string>()
    for (const { value: refused, why } of reading.refused)
      problems.add(refused === undefined ? why : `${fieldOf(part, refused)} ${why}`)
    return { value, problems: [...problems] }
  } finally {
    current = outer
  }
}

const MAX_DEPTH = 6
/** Names that are no field's may be somebody's id. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z_]{0,39}$/u

/** The name of the field that holds a value; of one in a list, that of the list. */
function fieldOf(part: unknown, value: unknown): string {
  return findField(part, value, 'a value', 0) ?? 'a value'
}

function findField(part: unknown, value: unknown, name: string, depth: number): string | null {
  if (Object.is(part, value)) return name
  if (typeof part !== 'object' || part === null || depth >= MAX_DEPTH) return null
  for (const [key, inner] of Object.entries(part)) {
    const innerName = !Array.isArray(part) && FIELD_NAME.test(key) ? key : name
    const found = findField(inner, value, innerName, depth + 1)
    if (found !== null) return found
  }
  return null
}
