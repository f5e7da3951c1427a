import { getMembers } from '../../api/access.ts'
import { useMay } from '../../state/permissions.ts'
import { useResource } from '../../state/resource.ts'
import { useMe } from '../../state/session.tsx'
import { SettingsPage } from '../settings/settings-page.tsx'
import { InvitationsPanel } from './invitations-panel.tsx'
import { MembersPanel } from './members-panel.tsx'
import { OwnPlacePanel } from './own-place-panel.tsx'
import { RolesPanel } from './roles-panel.tsx'

/** Who belongs to the workspace, who is invited, and what each may do. */
export function TeamPage() {
  const { workspace } = useMe()
  const mayManage = useMay('members.manage')
  const members = useResource(mayManage ? `members ${workspace.id}` : null, (signal) =>
    getMembers(workspace.id, signal),
  )
  return (
    <SettingsPage title="Team">
      {mayManage && <MembersPanel members={members} />}
      {mayManage && <InvitationsPanel />}
      <div class="columns">
        <OwnPlacePanel members={members.data} reload={members.reload} />
        <RolesPanel />
      </div>
    </SettingsPage>
  )
}
