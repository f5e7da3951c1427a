import { exportAuditLog, getAuditLog } from '../../api/access.ts'
import { asApiError } from '../../api/http.ts'
import { buildQuery } from '../../api/query.ts'
import {
  type AuditFilters,
  auditQuery,
  isAuditFiltered,
  isBackwards,
  NO_AUDIT_FILTERS,
  parseAuditFilters,
} from '../../domain/audit-filters.ts'
import { todayIn } from '../../domain/period.ts'
import { plural } from '../../format/numbers.ts'
import { usePaged } from '../../state/paged.ts'
import { replaceSearch, useLocation } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { DownloadIcon, LogIcon } from '../../ui/icons.tsx'
import { LoadMore } from '../../ui/load-more.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { SettingsPage } from '../settings/settings-page.tsx'
import { AuditFilterBar } from './audit-filter-bar.tsx'
import { AuditList } from './audit-list.tsx'

const PAGE_SIZE = 50

/** Gives a file to the browser, which keeps it where it keeps downloads. */
function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has begun to read it by the next turn.
  setTimeout(() => URL.revokeObjectURL(url))
}

function ExportButton({ filters }: { filters: AuditFilters }) {
  const toast = useToast()
  const timezone = useTimezone()
  const run = async () => {
    try {
      const blob = await exportAuditLog(auditQuery(filters))
      save(blob, `tidemark-audit-log-${todayIn(timezone, Date.now())}.csv`)
    } catch (error) {
      toast({ message: asApiError(error).message, tone: 'bad' })
    }
  }
  return (
    <button type="button" class="button" onClick={() => void run()}>
      <DownloadIcon size={16} /> Export CSV
    </button>
  )
}

/** Who did what in the workspace, when and from where. */
export function AuditPage() {
  const { search } = useLocation()
  const filters = parseAuditFilters(search)
  const query = { ...auditQuery(filters), limit: PAGE_SIZE }
  const list = usePaged(isBackwards(filters) ? null : `audit-log${buildQuery(query)}`, (cursor, signal) =>
    getAuditLog({ ...query, cursor }, signal),
  )
  const change = (part: Partial<AuditFilters>) => replaceSearch(auditQuery({ ...filters, ...part }))
  const { items, error } = list
  return (
    <SettingsPage title="Audit log" actions={<ExportButton filters={filters} />}>
      <AuditFilterBar filters={filters} change={change} />
      {items !== undefined && error !== undefined && (
        <Banner tone="bad">The log could not be refreshed. {error.message}</Banner>
      )}
      <section
        class={`panel panel-flush ${list.outdated ? 'is-busy' : ''}`}
        aria-label="Audit log"
        aria-busy={list.outdated}
      >
        {items === undefined ? (
          error === undefined ? (
            <SkeletonRows count={8} />
          ) : (
            <ErrorState error={error} retry={() => void list.reload()} />
          )
        ) : items.length === 0 ? (
          <EmptyState
            icon={<LogIcon size={28} />}
            title={
              isAuditFiltered(filters) ? 'Nothing in the log matches.' : 'Nothing has been written down yet.'
            }
          >
            {isAuditFiltered(filters) ? (
              <button type="button" class="button" onClick={() => change(NO_AUDIT_FILTERS)}>
                Show everything
              </button>
            ) : (
              <p class="quiet">Changes of members, keys, brands, accounts and exports appear here.</p>
            )}
          </EmptyState>
        ) : (
          <>
            <p class="visually-hidden" role="status">
              {plural(items.length, 'entry', 'entries')} shown{list.hasMore ? ', more can be loaded' : ''}
            </p>
            <AuditList entries={items} />
            <LoadMore list={list} what="entries" />
          </>
        )}
      </section>
    </SettingsPage>
  )
}
