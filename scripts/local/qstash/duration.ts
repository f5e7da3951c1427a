const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g

/**
 * Reads a duration such as `50s` or `1d10h30m`.
 * @returns milliseconds, or `null` when the text is none.
 */
export function parseDurationMs(text: string): number | null {
  const trimmed = text.trim()
  if (!DURATION.test(trimmed)) return null
  let totalMs = 0
  for (const [, amount, unit] of trimmed.matchAll(PART)) {
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  }
  return Number.isFinite(totalMs) ? totalMs : null
}
