import * as Duration from 'temporal-polyfill/fns/Duration'
import * as Instant from 'temporal-polyfill/fns/Instant'
import * as PlainDate from 'temporal-polyfill/fns/PlainDate'
import * as ZonedDateTime from 'temporal-polyfill/fns/ZonedDateTime'

/*
 * By the library's functions, and not by its classes: of those, an isolate that begins loads the few that are used
 * (docs/decisions/0012).
 */

/** Periods that are given by name. Each ends today, today included. */
export const PERIOD_NAMES = ['7d', '28d', '90d', '12m'] as const
export type PeriodName = (typeof PERIOD_NAMES)[number]

export type Comparison = 'previous' | 'year' | 'none'

/** Longest period that may be asked for. */
export const MAX_PERIOD_DAYS = 731

/** Every UTC offset in use is a multiple of this, so quarter hours add up to days of any timezone. */
export const QUARTER_MS = 15 * 60 * 1000

/** Whole days of a timezone. */
export interface Period {
  /** First day, `2026-11-01`. */
  from: string
  /** Last day, inclusive. */
  to: string
  timezone: string
  /** First instant of the first day, RFC 3339. */
  start: string
  /** First instant after the last day, RFC 3339. */
  end: string
}

export interface ComparedPeriod {
  from: string
  to: string
  start: string
  /** First instant of the last day. */
  lastDayStart: string
  /**
   * First instant that no longer counts. Where the period is still running, its comparison stops at the same
   * local time of day (at the last full quarter hour), so that like is compared with like.
   */
  until: string
}

const PERIOD_LENGTH: Record<PeriodName, Duration.FromFields> = {
  '7d': { days: 7 },
  '28d': { days: 28 },
  '90d': { days: 90 },
  '12m': { months: 12 },
}

/**
 * Names that this runtime takes for timezones and Postgres does not, or for others: to Postgres `CET` is an
 * hour ahead of UTC all the year round, and `IST` the time of Israel.
 */
const READ_DIFFERENTLY =
  /^(?!(?:UTC|UCT|GMT|EST|MST|HST|PRC|ROC|ROK)$)[a-z]{3}$|^SystemV\/|^US\/Pacific-New$/i

/** Names that were asked about: there are a few hundred, and asking the runtime costs more than a cached read. */
const timezones = new Map<string, boolean>()
const MOST_TIMEZONES = 1_000

/** Whether a name is a timezone, here and in the database; only IANA names count, not offsets. */
export function isTimezone(name: string): boolean {
  let known = timezones.get(name)
  if (known === undefined) {
    known = /^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name) && !READ_DIFFERENTLY.test(name) && isKnownToRuntime(name)
    if (timezones.size >= MOST_TIMEZONES) timezones.clear()
    timezones.set(name, known)
  }
  return known
}

function isKnownToRuntime(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Whether a text is a day that exists, written `2026-11-22`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  try {
    dateOf(text)
    return true
  } catch {
    return false
  }
}

/** @throws RangeError where there is no such day */
function dateOf(day: string): PlainDate.Record {
  const [year, month, dayOfMonth] = day.split('-').map(Number)
  return PlainDate.create(year ?? Number.NaN, month ?? Number.NaN, dayOfMonth ?? Number.NaN)
}

/** How many days a period has, both ends included; below 1 where they are reversed. */
export function daysBetween(from: string, to: string): number {
  return PlainDate.diffDays(dateOf(from), dateOf(to)) + 1
}

function startOfDay(day: PlainDate.Record, timezone: string): string {
  return new Date(PlainDate.toZonedDateTime(day, timezone).epochMilliseconds).toISOString()
}

function momentIn(timezone: string, nowMs: number): ZonedDateTime.Record {
  return Instant.toZonedDateTimeISO(Instant.fromEpochMilliseconds(nowMs), timezone)
}

/** Today's date in a timezone. */
export function today(timezone: string, nowMs: number): string {
  return PlainDate.toString(ZonedDateTime.toPlainDate(momentIn(timezone, nowMs)))
}

/** The period between two days, both inclusive. */
export function periodOf(from: string, to: string, timezone: string): Period {
  return {
    from,
    to,
    timezone,
    start: startOfDay(dateOf(from), timezone),
    end: startOfDay(PlainDate.addDays(dateOf(to), 1), timezone),
  }
}

/** The period of a name, ending today. `12m` reaches back to the day after today's date a year ago. */
export function namedPeriod(name: PeriodName, timezone: string, nowMs: number): Period {
  const to = today(timezone, nowMs)
  const before = PlainDate.subtract(dateOf(to), Duration.fromFields(PERIOD_LENGTH[name]))
  return periodOf(PlainDate.toString(PlainDate.addDays(before, 1)), to, timezone)
}

/** What a period is compared with: as many days just before it, or the same days a year earlier. */
export function comparisonOf(period: Period, comparison: Comparison, nowMs: number): ComparedPeriod | null {
  if (comparison === 'none') return null
  const days = daysBetween(period.from, period.to)
  const earlier = (day: string) => {
    const date = dateOf(day)
    return PlainDate.toString(
      comparison === 'year' ? PlainDate.subtractYears(date, 1) : PlainDate.subtractDays(date, days),
    )
  }
  const compared = periodOf(earlier(period.from), earlier(period.to), period.timezone)
  return {
    from: compared.from,
    to: compared.to,
    start: compared.start,
    lastDayStart: startOfDay(dateOf(compared.to), period.timezone),
    until:
      period.to === today(period.timezone, nowMs)
        ? sameTimeOfDay(compared.to, period.timezone, nowMs)
        : compared.end,
  }
}

function sameTimeOfDay(day: string, timezone: string, nowMs: number): string {
  const then = PlainDate.toZonedDateTime(dateOf(day), {
    timeZone: timezone,
    plainTime: ZonedDateTime.toPlainTime(momentIn(timezone, nowMs)),
  })
  return new Date(Math.floor(then.epochMilliseconds / QUARTER_MS) * QUARTER_MS).toISOString()
}

/** Every day of a period, in order. */
export function daysOf(period: Pick<Period, 'from' | 'to'>): string[] {
  const days: string[] = []
  const last = dateOf(period.to)
  for (let day = dateOf(period.from); PlainDate.compare(day, last) <= 0; day = PlainDate.addDays(day, 1))
    days.push(PlainDate.toString(day))
  return days
}

/** Every hour of a one-day period, as instants: 23 or 25 of them when the clocks change. */
export function hoursOf(period: Period): string[] {
  const hours: string[] = []
  for (let at = Date.parse(period.start); at < Date.parse(period.end); at += 4 * QUARTER_MS)
    hours.push(new Date(at).toISOString())
  return hours
}
