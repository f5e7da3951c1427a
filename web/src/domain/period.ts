/** Periods and calendar dates. A date is text, `2026-11-22`; arithmetic on it knows no timezone. */

export const NAMED_PERIODS = ['7d', '28d', '90d', '12m'] as const
export type NamedPeriod = (typeof NAMED_PERIODS)[number]

export type Period = { kind: 'named'; name: NamedPeriod } | { kind: 'custom'; from: string; to: string }

export const PERIOD_LABELS: Record<NamedPeriod, string> = {
  '7d': 'Last 7 days',
  '28d': 'Last 28 days',
  '90d': 'Last 90 days',
  '12m': 'Last 12 months',
}

/** The API answers at most two years at once. */
export const MAX_PERIOD_DAYS = 731

const DAY_MS = 86_400_000

export function isNamedPeriod(text: string | null): text is NamedPeriod {
  return (NAMED_PERIODS as readonly (string | null)[]).includes(text)
}

/** Whether the text is a date that exists: `2026-02-30` does not. */
export function isDate(text: string | null): text is string {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** The date now in a timezone. */
export function todayIn(timeZone: string, nowMs: number): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(nowMs)
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Days from one date to another, both counted. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS) + 1
}

/** The same day of the month `months` earlier, or that month's last day where it has no such day. */
export function subtractMonths(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number)
  const index = year * 12 + (month - 1) - months
  const lastDay = new Date(Date.UTC(Math.floor(index / 12), (index % 12) + 1, 0)).getUTCDate()
  return new Date(Date.UTC(Math.floor(index / 12), index % 12, Math.min(day, lastDay)))
    .toISOString()
    .slice(0, 10)
}

/** First and last day of a named period that ends today: what the fields of a custom one start from. */
export function namedRange(name: NamedPeriod, today: string): { from: string; to: string } {
  if (name === '12m') return { from: addDays(subtractMonths(today, 12), 1), to: today }
  return { from: addDays(today, 1 - Number.parseInt(name, 10)), to: today }
}

/** What is wrong with a custom period, as a sentence; `null` when nothing is. */
export function customPeriodProblem(from: string, to: string): string | null {
  if (!isDate(from) || !isDate(to)) return 'Give both dates.'
  if (from > to) return 'The first day is after the last one.'
  if (daysBetween(from, to) > MAX_PERIOD_DAYS) return 'A period is at most two years long.'
  return null
}
