import { formatNumber, type Table } from '../../lib/table.ts'

/** Whether something that was promised was measured to be so. */
export interface Verdict {
  what: string
  /** As people read it: `≥ 80 %`. */
  wanted: string
  /** `null`: not measured, which holds nothing. */
  measured: number | null
  unit: string
  holds: boolean
}

export function atLeast(what: string, least: number, measured: number | null, unit = ''): Verdict {
  return verdict(what, `≥ ${withUnit(least, unit)}`, measured, unit, (value) => value >= least)
}

export function atMost(what: string, most: number, measured: number | null, unit = ''): Verdict {
  return verdict(what, `≤ ${withUnit(most, unit)}`, measured, unit, (value) => value <= most)
}

export function below(what: string, limit: number, measured: number | null, unit = ''): Verdict {
  return verdict(what, `< ${withUnit(limit, unit)}`, measured, unit, (value) => value < limit)
}

export function exactly(what: string, wanted: number, measured: number | null, unit = ''): Verdict {
  return verdict(what, withUnit(wanted, unit), measured, unit, (value) => value === wanted)
}

export function verdictsTable(verdicts: readonly Verdict[], title = 'Reads: targets'): Table {
  return {
    title,
    columns: [{ name: '' }, { name: 'target' }, { name: 'wanted' }, { name: 'measured' }],
    rows: verdicts.map(({ what, wanted, measured, unit, holds }) => [
      holds ? '✓' : '✗',
      what,
      wanted,
      measured === null ? null : withUnit(measured, unit),
    ]),
  }
}

function verdict(
  what: string,
  wanted: string,
  measured: number | null,
  unit: string,
  test: (value: number) => boolean,
): Verdict {
  return { what, wanted, measured, unit, holds: measured !== null && test(measured) }
}

function withUnit(value: number, unit: string): string {
  return `${formatNumber(value)}${unit === '' ? '' : ` ${unit}`}`
}
