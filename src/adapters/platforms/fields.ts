import { z } from 'zod'
import { PlatformError } from '../../ports.ts'

/** A count: an exact integer, 0 or more. Whatever else a platform sends means that it does not say. */
export const Count = z.int().nonnegative().nullable().catch(null)

/** Text as it may be stored: Postgres takes no NUL and no half of a surrogate pair. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed()
}

/** Text that a platform may leave out. */
export const OptionalText = z.string().transform(cleanText).nullable().catch(null)

/** Text that says something, else `null`. */
export const OptionalName = z
  .string()
  .transform((text) => cleanText(text).trim() || null)
  .nullable()
  .catch(null)

/** A web address, as it may stand in a page's links; `null` for any other scheme. */
export const WebAddress = z
  .string()
  .transform((text) => (/^https?:$/u.test(URL.parse(text)?.protocol ?? '') ? text : null))
  .nullable()
  .catch(null)

/** A list of which each entry is looked at by itself. */
export const LooseList = z.array(z.unknown()).catch([])

const TIMESTAMP = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|z|[+-]\d\d:?\d\d)?$/u

/**
 * Milliseconds since 1970 of an ISO 8601 date and time, taken for UTC when it names no offset; `null` when
 * it is none, or before 1970, when no post was written.
 */
export function readTimestamp(text: string | null): number | null {
  const match = TIMESTAMP.exec(text ?? '')
  if (match === null) return null
  const moment = Date.parse(match[1] === undefined ? `${match[0]}Z` : match[0])
  return Number.isNaN(moment) || moment < 0 ? null : moment
}

/** Says of one entry of an answer that it cannot be used. */
export class MalformedEntry extends Error {}

/**
 * Reads the entries of a list one by one. One that is malformed (`read` throws `MalformedEntry` or a zod
 * error) is left out, as one broken post must not hide all others; when all are malformed, the list is not
 * what we think it is, and a `bad_answer` says of the first what is wrong. `read` returns `null` for an
 * entry that is well formed and not wanted.
 */
export function readEntries<T>(
  entries: readonly unknown[],
  who: string,
  read: (entry: unknown) => T | null,
): T[] {
  const values: T[] = []
  let malformed = 0
  let firstProblem: unknown
  for (const entry of entries) {
    try {
      const value = read(entry)
      if (value !== null) values.push(value)
    } catch (error) {
      if (!(error instanceof MalformedEntry || error instanceof z.ZodError)) throw error
      malformed++
      firstProblem ??= error
    }
  }
  if (malformed > 0 && malformed === entries.length)
    throw new PlatformError(
      'bad_answer',
      `None of the ${malformed} entries of the answer of ${who} could be understood: ${describe(firstProblem)}.`,
      { cause: firstProblem },
    )
  return values
}

function describe(problem: unknown): string {
  if (problem instanceof z.ZodError) {
    const [issue] = problem.issues
    return `${issue?.path.join('.') || 'the entry'}: ${issue?.message ?? 'invalid'}`
  }
  return problem instanceof Error ? problem.message : String(problem)
}

/** The first of each id. */
export function distinctBy<T>(values: readonly T[], idOf: (value: T) => string): T[] {
  const byId = new Map<string, T>()
  for (const value of values) if (!byId.has(idOf(value))) byId.set(idOf(value), value)
  return [...byId.values()]
}

/** The values in groups of at most `size`. */
export function chunksOf<T>(values: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let start = 0; start < values.length; start += size) chunks.push(values.slice(start, start + size))
  return chunks
}
