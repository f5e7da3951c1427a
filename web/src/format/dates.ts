import { readerLocale } from './numbers.ts'

/**
 * Times as people read them. Instants are shown in the workspace's timezone; calendar dates
 * (`2026-11-22`) have none and are formatted as they stand.
 */

const LOCALE = readerLocale()
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${timeZone} ${JSON.stringify(options)}`
  let found = formatters.get(key)
  if (found === undefined) {
    found = new Intl.DateTimeFormat(LOCALE, { ...options, timeZone })
    formatters.set(key, found)
  }
  return found
}

function utcNoon(date: string): Date {
  return new Date(`${date}T12:00:00Z`)
}

/** A calendar date on an axis: `22 Nov` */
export function formatDay(date: string): string {
  return formatter('UTC', { day: 'numeric', month: 'short' }).format(utcNoon(date))
}

/** A calendar date's month on an axis: `Nov`, and in January with the year: `Jan 2027` */
export function formatMonth(date: string): string {
  const january = date.slice(5, 7) === '01'
  return formatter('UTC', january ? { month: 'short', year: 'numeric' } : { month: 'short' }).format(
    utcNoon(date),
  )
}

/** A calendar date in full: `Sun, 22 Nov 2026` */
export function formatDayLong(date: string): string {
  return formatter('UTC', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(
    utcNoon(date),
  )
}

/** `26 Oct – 22 Nov 2026` */
export function formatDateRange(from: string, to: string): string {
  const style = formatter('UTC', { day: 'numeric', month: 'short', year: 'numeric' })
  return from === to ? style.format(utcNoon(from)) : style.formatRange(utcNoon(from), utcNoon(to))
}

/** An instant's hour on an axis: `14:00` */
export function formatHour(instant: string, timeZone: string): string {
  return formatter(timeZone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    new Date(instant),
  )
}

/** An instant to the second: `14:03:22` */
export function formatClock(instant: Date, timeZone: string): string {
  return formatter(timeZone, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(instant)
}

/** An instant: `22 Nov 2026, 14:03` */
export function formatInstant(instant: string | Date, timeZone: string): string {
  return formatter(timeZone, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(instant))
}

/** The calendar date of an instant: `22 Nov 2026` */
export function formatDate(instant: string, timeZone: string): string {
  return formatter(timeZone, { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(instant))
}

/** The calendar date of an instant, in full: `Sun, 22 Nov 2026` */
export function formatDateLong(instant: string, timeZone: string): string {
  return formatter(timeZone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(
    new Date(instant),
  )
}

const STEPS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [31_536_000, 'year'],
  [2_592_000, 'month'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]
const RELATIVE = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto', style: 'short' })

/** How long ago, or how soon: `just now`, `5 min. ago`, `in 2 hr.` */
export function formatRelative(instant: string, nowMs: number): string {
  const seconds = (Date.parse(instant) - nowMs) / 1_000
  for (const [size, unit] of STEPS) {
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.trunc(seconds / size), unit)
  }
  return seconds > 10 ? 'in a moment' : 'just now'
}

/** How soon something is due: `in 5 min.`; `now` from then on, however late it is. */
export function dueWords(instant: string, nowMs: number): string {
  const inMs = Date.parse(instant) - nowMs
  if (inMs <= 0) return 'now'
  return inMs < 60_000 ? 'in a moment' : formatRelative(instant, nowMs)
}

/** A length of time in words, for what is waited for or fades: `30 seconds`, `4 hours` */
export function formatDuration(totalSeconds: number): string {
  const [size, unit] =
    totalSeconds >= 86_400
      ? ([86_400, 'day'] as const)
      : totalSeconds >= 3_600
        ? ([3_600, 'hour'] as const)
        : totalSeconds >= 60
          ? ([60, 'minute'] as const)
          : ([1, 'second'] as const)
  return new Intl.NumberFormat(LOCALE, { style: 'unit', unit, unitDisplay: 'long' }).format(
    Math.ceil(totalSeconds / size),
  )
}
