import { type AuditFilter, type AuditRow, listAudit } from '../../db/queries/audit.ts'
import { type CsvCell, csvHeader, writeCsvRow } from '../../domain/imports/csv-writer.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { audit } from './record.ts'

/** About a megabyte; every page is a call to the database, of which a request has so many. */
const PAGE_ROWS = 2_000

const COLUMNS: Record<string, (row: AuditRow) => CsvCell> = {
  at: (row) => row.at,
  actorKind: (row) => row.actorKind,
  actorId: (row) => row.actorId,
  actorName: (row) => row.actorName,
  action: (row) => row.action,
  targetKind: (row) => row.targetKind,
  targetId: (row) => row.targetId,
  targetName: (row) => row.targetName,
  details: (row) => JSON.stringify(row.details),
  ip: (row) => row.ip,
  userAgent: (row) => row.userAgent,
  requestId: (row) => row.requestId,
  id: (row) => row.id,
}

/** A spreadsheet takes a cell that begins like this for a formula: names are whatever people chose. */
const FORMULA = /^[=+\-@\t\r\n]/

function defused(cell: CsvCell): CsvCell {
  return typeof cell === 'string' && FORMULA.test(cell) ? `'${cell}` : cell
}

function recordsOf(rows: readonly AuditRow[]): string {
  return rows.map((row) => writeCsvRow(Object.values(COLUMNS).map((cellOf) => defused(cellOf(row))))).join('')
}

/**
 * The log as CSV (RFC 4180), newest first, read page by page as it is taken: only one page is ever held. The
 * export itself is written down first, and stands in it where the filter lets it.
 *
 * What fails before the first byte rejects; later the stream fails, so that no cut file looks whole.
 */
export async function exportAuditLog(
  ctx: ServiceContext,
  filter: AuditFilter,
): Promise<ReadableStream<Uint8Array>> {
  requirePermission(ctx.actor, 'audit.read')
  const workspaceId = ctx.workspace.id
  const page = (after: AuditRow | null) => listAudit(workspaceId, filter, { after, most: PAGE_ROWS })
  const details = Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== null && value.length > 0),
  )
  const [, first] = await ctx.db.inWorkspace(workspaceId, [
    audit(ctx, { action: 'audit_log.exported', details }),
    page(null),
  ])
  const encoder = new TextEncoder()
  let rows: AuditRow[] = first
  let isBegun = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const last = rows.at(-1)
        if (isBegun && last !== undefined) {
          const [more] = await ctx.db.inWorkspace(workspaceId, [page(last)])
          rows = more
        }
        if (isBegun && rows.length === 0) return controller.close()
        const header = isBegun ? '' : csvHeader(Object.keys(COLUMNS))
        isBegun = true
        controller.enqueue(encoder.encode(header + recordsOf(rows)))
        if (rows.length < PAGE_ROWS) controller.close()
      },
    },
    // Nothing is read ahead of what is asked for.
    { highWaterMark: 0 },
  )
}
