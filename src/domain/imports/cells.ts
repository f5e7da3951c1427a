import type { PostMedia } from '../../ports.ts'
import { POST_KINDS, type PostKind } from '../platforms.ts'

/** What is wrong with a cell: the end of a sentence that begins with the column's name. */
export class CellProblem {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

const DAY_MS = 24 * 60 * 60 * 1000
/** No platform that Tidemark knows is older. */
const FIRST_YEAR = 2004
const MAX_ID_LENGTH = 512
const MAX_HANDLE_LENGTH = 256
const MAX_URL_LENGTH = 2048
/** In UTF-16 units. Beyond what any platform takes, and within what the search index can hold. */
const MAX_TEXT_LENGTH = 100_000

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:([Tt ])(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))?)?$/

/**
 * An instant: RFC 3339, or in UTC `2016-09-19` or `2016-09-19 10:11:12`.
 *
 * @param nowMs milliseconds since 1970; more than a day after it is refused, as is anything before 2004
 * @returns RFC 3339, UTC, in milliseconds (finer fractions are cut off)
 */
export function parseInstant(cell: string, nowMs: number): string | CellProblem {
  const match = INSTANT.exec(cell.trim())
  if (match === null) {
    return new CellProblem(
      `is not a date or time; write 2016-09-19T10:11:12Z, 2016-09-19 10:11:12 (UTC) or 2016-09-19, not ${quote(cell)}.`,
    )
  }
  const [, year, month, day, separator, hour = '0', minute = '0', second = '0', fraction = '', zulu, sign] =
    match
  const offsetHours = Number(match[11] ?? 0)
  const offsetMinutes = Number(match[12] ?? 0)
  if (separator !== undefined && separator !== ' ' && zulu === undefined && sign === undefined) {
    return new CellProblem(`has no offset from UTC; add Z or an offset such as +02:00 to ${quote(cell)}.`)
  }
  // Date.UTC carries an overflow into the next unit: 30 February comes back as 1 March.
  const dayMs = Date.UTC(Number(year), Number(month) - 1, Number(day))
  if (new Date(dayMs).toISOString().slice(0, 10) !== `${year}-${month}-${day}`) {
    return new CellProblem(`is not a day of the calendar: ${quote(cell)}.`)
  }
  if (
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 59 ||
    offsetHours > 23 ||
    offsetMinutes > 59
  ) {
    return new CellProblem(`is not a time of day: ${quote(cell)}.`)
  }
  const clockMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000 * (sign === '-' ? -1 : 1)
  const instantMs = dayMs + clockMs + Number(fraction.slice(0, 3).padEnd(3, '0')) - offsetMs
  if (instantMs < Date.UTC(FIRST_YEAR, 0, 1)) {
    return new CellProblem(`is before ${FIRST_YEAR}: ${quote(cell)}.`)
  }
  if (instantMs > nowMs + DAY_MS) return new CellProblem(`is in the future: ${quote(cell)}.`)
  return new Date(instantMs).toISOString()
}

/** A count: digits alone, up to 2^53 − 1, so that no figure is ever guessed from `1,234`, `1.5` or `1e3`. */
export function parseCount(cell: string): number | CellProblem {
  const digits = cell.trim()
  if (!/^\d+$/.test(digits)) {
    return new CellProblem(`has to be a whole number in digits alone, such as 1234, not ${quote(cell)}.`)
  }
  const count = Number(digits)
  return Number.isSafeInteger(count) ? count : new CellProblem(`is larger than ${Number.MAX_SAFE_INTEGER}.`)
}

/** An id as the platform writes it; it is compared, never counted with, and so stays a string. */
export function parsePostId(cell: string): string | CellProblem {
  return shortText(cell, MAX_ID_LENGTH)
}

/** An account's handle, as it is written. */
export function parseHandle(cell: string): string | CellProblem {
  return shortText(cell, MAX_HANDLE_LENGTH)
}

/** A post's text, verbatim: entities, spaces and line breaks included. */
export function parseText(cell: string): string | CellProblem {
  return cell.length <= MAX_TEXT_LENGTH
    ? cell
    : new CellProblem(`is longer than ${MAX_TEXT_LENGTH} characters.`)
}

/** A web address, as it is written. */
export function parseUrl(cell: string): string | CellProblem {
  const url = cell.trim()
  if (url.length > MAX_URL_LENGTH) return new CellProblem(`is longer than ${MAX_URL_LENGTH} characters.`)
  // URL drops line breaks and adds missing slashes on its own; neither belongs in what is stored.
  return /^https?:\/\/\S+$/i.test(url) && URL.canParse(url)
    ? url
    : new CellProblem(`has to be an http or https address, not ${quote(cell)}.`)
}

/** A post's kind, in any letter case. */
export function parseKind(cell: string): PostKind | CellProblem {
  const name = cell.trim().toLowerCase()
  const kind = POST_KINDS.find((known) => known === name)
  return kind ?? new CellProblem(`has to be one of ${POST_KINDS.join(', ')}, not ${quote(cell)}.`)
}

const MEDIA_TYPES: ReadonlyMap<string, PostMedia['type'] | null> = new Map([
  ['image', 'image'],
  ['photo', 'image'],
  ['picture', 'image'],
  ['album', 'image'],
  ['carousel', 'image'],
  ['video', 'video'],
  ['reel', 'video'],
  ['short', 'video'],
  ['live', 'video'],
  ['gif', 'gif'],
  ['animated_gif', 'gif'],
  ['audio', 'audio'],
  ['link', 'link'],
  ['share', 'link'],
  ['poll', 'poll'],
  ['text', null],
  ['status', null],
  ['none', null],
])

/** What a post shows, from the word a platform's own export has for it; unknown words are `other`. */
export function parseMediaType(cell: string): PostMedia[] {
  const name = cell.trim().toLowerCase()
  if (name === '') return []
  const type = MEDIA_TYPES.get(name)
  return type === null ? [] : [{ type: type ?? 'other', url: null, alt: null }]
}

/** A cell's beginning, quoted for a message. */
export function quote(cell: string): string {
  return JSON.stringify(cell.length > 60 ? `${cell.slice(0, 60).toWellFormed()}…` : cell)
}

function shortText(cell: string, maxLength: number): string | CellProblem {
  const text = cell.trim()
  return text.length <= maxLength ? text : new CellProblem(`is longer than ${maxLength} characters.`)
}
