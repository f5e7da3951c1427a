import { getApiKeys, getMembers } from '../../api/access.ts'
import { type AuditFilters, isAuditFiltered, NO_AUDIT_FILTERS } from '../../domain/audit-filters.ts'
import { AUDIT_ACTION_LABELS, isAuditAction } from '../../domain/audit-words.ts'
import { useMay } from '../../state/permissions.ts'
import { useResource } from '../../state/resource.ts'
import { useMe } from '../../state/session.tsx'
import { DatesFilter } from '../../ui/dates-filter.tsx'
import { type Choice, MultiSelect } from '../../ui/multi-select.tsx'

interface BarProps {
  filters: AuditFilters
  change: (part: Partial<AuditFilters>) => void
}

/** People and keys of the workspace now; who left before is found by what they did. */
function useActors(): Choice[] {
  const { workspace } = useMe()
  const maySeeMembers = useMay('members.manage')
  const maySeeKeys = useMay('keys.manage')
  const members = useResource(maySeeMembers ? `members ${workspace.id}` : null, (signal) =>
    getMembers(workspace.id, signal),
  )
  const keys = useResource(maySeeKeys ? 'api-keys' : null, (signal) => getApiKeys(signal))
  return [
    ...(members.data ?? []).map(({ userId, name, email }) => ({
      value: userId,
      text: `${name} ${email}`,
      summary: name,
      label: (
        <span class="choice-account">
          <span class="ellipsis">
            {name} <span class="quiet">{email}</span>
          </span>
        </span>
      ),
    })),
    ...(keys.data ?? []).map(({ id, name }) => ({
      value: id,
      text: name,
      summary: name,
      label: (
        <span class="choice-account">
          <span class="ellipsis">
            {name} <span class="quiet">API key</span>
          </span>
        </span>
      ),
    })),
  ]
}

/** Who, what and when. */
export function AuditFilterBar({ filters, change }: BarProps) {
  const actors = useActors()
  return (
    <search class="toolbar" aria-label="Filters">
      <div class="toolbar-row">
        <MultiSelect
          name="People and keys"
          choices={actors}
          selected={filters.actors}
          onChange={(chosen) => change({ actors: chosen })}
        />
        <MultiSelect
          name="Actions"
          choices={Object.entries(AUDIT_ACTION_LABELS).map(([value, label]) => ({
            value,
            text: label,
            summary: label,
            label,
          }))}
          selected={filters.actions}
          onChange={(chosen) => change({ actions: chosen.filter(isAuditAction) })}
        />
        <DatesFilter bounds={filters} change={change} what="When" panelLabel="When it was done" />
        {isAuditFiltered(filters) && (
          <button type="button" class="link-button" onClick={() => change(NO_AUDIT_FILTERS)}>
            Clear all filters
          </button>
        )}
      </div>
    </search>
  )
}
