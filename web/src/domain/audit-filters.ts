import type { AuditAction } from '../../../src/http/wire.ts'
import { isAuditAction } from './audit-words.ts'
import { splitList } from './overview-filters.ts'
import { isDate } from './period.ts'

/** What the audit log can be asked, as it stands in the page's address. */
export interface AuditFilters {
  /** Ids of people and API keys. */
  actors: string[]
  actions: AuditAction[]
  from: string
  to: string
}

export const NO_AUDIT_FILTERS: AuditFilters = { actors: [], actions: [], from: '', to: '' }

/** Reads the filters out of an address. What it does not understand is left out. */
export function parseAuditFilters(search: URLSearchParams): AuditFilters {
  const from = search.get('from')
  const to = search.get('to')
  return {
    actors: splitList(search.get('actors')),
    actions: splitList(search.get('actions')).filter(isAuditAction),
    from: isDate(from) ? from : '',
    to: isDate(to) ? to : '',
  }
}

/** The address of these filters, and what `GET /audit-log` is asked for them. */
export function auditQuery(filters: AuditFilters): Record<string, string | string[]> {
  return { ...filters }
}

export function isAuditFiltered(filters: AuditFilters): boolean {
  return Object.values(filters).some((value) => value.length > 0)
}

/** Whether the days are the wrong way round. */
export function isBackwards({ from, to }: { from: string; to: string }): boolean {
  return from !== '' && to !== '' && from > to
}
