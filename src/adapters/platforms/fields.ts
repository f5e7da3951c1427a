import * as z from 'zod'
import { refuseValue } from './refused-values.ts'

/** What stands in place of a count that cannot be: not known, with a note. */
export function refuseCount(sent: unknown): null {
  if (sent !== null && sent !== undefined) refuseValue(sent, whyNoCount(sent))
  return null
}

function whyNoCount(sent: unknown): string {
  if (typeof sent !== 'number') return 'is no number'
  if (!Number.isInteger(sent)) return 'is no whole number'
  return sent < 0 ? 'is negative' : 'is too large to be counted exactly'
}

/** A count: an exact integer, 0 or more. Whatever else a platform sends means that it does not say. */
export const Count = z
  .int()
  .nonnegative()
  .nullable()
  .catch(({ value }) => refuseCount(value))

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
