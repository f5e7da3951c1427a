import { formatCount, formatMs, formatRate, formatUsd } from '../format/numbers.ts'
import type { Column } from './table.tsx'

/** What calls came to. */
export interface CallTallies {
  calls: number
  failures: number
  /** Posts, profiles and other things that were read. */
  items: number
  costUsd: number
  /** `null`, or left out: not known. */
  meanLatencyMs?: number | null
}

/** The columns that `CallCells` fills. */
export const CALL_COLUMNS: readonly Column[] = ['Calls', 'Failed', 'Things read', 'Cost', 'A call took'].map(
  (label) => ({ label, number: true }),
)

/** How long calls took, as the cell of a table. */
export function LatencyCell({ label, ms }: { label: string; ms: number | null | undefined }) {
  return (
    <td class="number" data-label={label}>
      {ms == null ? <span class="quiet">–</span> : formatMs(ms)}
    </td>
  )
}

/** How often something was called, how well, and at what price: the cells of a row. */
export function CallCells({ tallies }: { tallies: CallTallies }) {
  const { calls, failures, items, costUsd, meanLatencyMs } = tallies
  return (
    <>
      <td class="number" data-label="Calls">
        {formatCount(calls)}
      </td>
      <td class="number" data-label="Failed">
        {formatCount(failures)}
        {failures > 0 && calls > 0 && <span class="quiet small"> {formatRate(failures / calls)}</span>}
      </td>
      <td class="number" data-label="Things read">
        {formatCount(items)}
      </td>
      <td class="number" data-label="Cost">
        {formatUsd(costUsd)}
      </td>
      <LatencyCell label="A call took" ms={meanLatencyMs} />
    </>
  )
}
