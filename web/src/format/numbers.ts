/** Numbers as people read them. Unknown (`null`) is never written as 0: callers decide what to say instead. */

/** The interface is in English, so figures follow the reader's English variant, or plain English. */
export function readerLocale(): string {
  const languages = typeof navigator === 'undefined' ? [] : navigator.languages
  return languages.find((language) => language.toLowerCase().startsWith('en')) ?? 'en'
}

const LOCALE = readerLocale()
const EXACT = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 })
const SIGNED = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0, signDisplay: 'exceptZero' })
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 })
const DECIMAL = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 })
const RATE = new Intl.NumberFormat(LOCALE, {
  style: 'percent',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
})
const RATE_TICK = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 2 })
const CHANGE = new Intl.NumberFormat(LOCALE, {
  style: 'percent',
  maximumFractionDigits: 1,
  signDisplay: 'exceptZero',
})
const CHANGE_WHOLE = new Intl.NumberFormat(LOCALE, {
  style: 'percent',
  maximumFractionDigits: 0,
  signDisplay: 'exceptZero',
})

const dollars = (maximumFractionDigits: number) =>
  new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    maximumFractionDigits,
  })
const USD = dollars(2)
const USD_FINE = dollars(4)

/** A typographic minus is as wide as a digit's plus, so that signed columns line up. */
function withMinus(text: string): string {
  return text.replaceAll('-', '−')
}

/** `12,345` */
export function formatCount(value: number): string {
  return withMinus(EXACT.format(value))
}

/** `+312`, `−40`, `0` */
export function formatSigned(value: number): string {
  return withMinus(SIGNED.format(value))
}

/** `12.3K`: for axes and narrow places, where the exact number is offered beside it. */
export function formatCompact(value: number): string {
  return withMinus(COMPACT.format(value))
}

/** At most one decimal: `3.2`, `12` */
export function formatDecimal(value: number): string {
  return withMinus(DECIMAL.format(value))
}

/** An amount of dollars: `$12.34`, and below a cent as it is: `$0.005` */
export function formatUsd(value: number): string {
  return (Math.abs(value) < 0.01 ? USD_FINE : USD).format(value)
}

/** A ratio as a rate: 0.0345 → `3.45%` */
export function formatRate(ratio: number): string {
  return withMinus(RATE.format(ratio))
}

/** A ratio on an axis: 0.05 → `5%` */
export function formatRateTick(ratio: number): string {
  return withMinus(RATE_TICK.format(ratio))
}

/** Where a change goes, as far as it can be written: what rounds to 0 % is neither up nor down. */
export function changeDirection(ratio: number): 'up' | 'down' | 'flat' {
  if (Math.abs(ratio) < 0.0005) return 'flat'
  return ratio > 0 ? 'up' : 'down'
}

/** A change as a ratio: 0.124 → `+12.4%`. From ±1,000 % on without decimals. */
export function formatChange(ratio: number): string {
  return withMinus((Math.abs(ratio) >= 10 ? CHANGE_WHOLE : CHANGE).format(ratio))
}

/** Exact up to seven digits, compact beyond: what a key figure shows. */
export function formatFigure(value: number): string {
  return Math.abs(value) >= 10_000_000 ? formatCompact(value) : formatCount(value)
}

/** `1 post`, `12 posts` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** A time in milliseconds: `1,240 ms`, and below one of them `< 1 ms` */
export function formatMs(ms: number): string {
  return ms < 1 ? '< 1 ms' : `${formatCount(ms)} ms`
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB'] as const

/** `4.2 MB` */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1_000 && unit < BYTE_UNITS.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${formatDecimal(value)} ${BYTE_UNITS[unit] ?? 'B'}`
}
