import { formatInstant } from '../../format/dates.ts'
import { useNow } from '../../state/now.ts'
import { useMe } from '../../state/session.tsx'
import { Panel } from '../../ui/page.tsx'

const ROLES: Readonly<Record<string, string>> = {
  owner: 'Owner',
  admin: 'Admin',
  analyst: 'Analyst',
  viewer: 'Viewer',
}

/** Which workspace this is, and by whose clock its days are counted. */
export function WorkspacePanel() {
  const { workspace } = useMe()
  const nowMs = useNow()
  return (
    <Panel title="Workspace">
      <dl class="facts">
        <div>
          <dt>Name</dt>
          <dd>{workspace.name}</dd>
        </div>
        <div>
          <dt>Timezone</dt>
          <dd>
            {workspace.timezone.replaceAll('_', ' ')}
            <span class="quiet"> · now {formatInstant(new Date(nowMs), workspace.timezone)}</span>
          </dd>
        </div>
        {workspace.role !== null && (
          <div>
            <dt>Your role</dt>
            <dd>{ROLES[workspace.role] ?? workspace.role}</dd>
          </div>
        )}
      </dl>
      <p class="quiet small">Days of every figure begin and end at midnight of this timezone.</p>
    </Panel>
  )
}
