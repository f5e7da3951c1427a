import { getSessions } from '../../api/auth.ts'
import { useResource } from '../../state/resource.ts'
import { useMe } from '../../state/session.tsx'
import { Page } from '../../ui/page.tsx'
import { IdentityPanel } from './identity-panel.tsx'
import { PasswordPanel } from './password-panel.tsx'
import { SessionsPanel } from './sessions-panel.tsx'
import { WorkspacesPanel } from './workspaces-panel.tsx'

/** The reader's own page: who they are, and how they get in. */
export function ProfilePage() {
  const { user } = useMe()
  const sessions = useResource(user === null ? null : `sessions ${user.id}`, getSessions)
  if (user === null) return null
  return (
    <Page
      title="Your profile"
      lead="What is yours in every workspace: your name, your password, your devices."
    >
      <div class="columns">
        <div class="stack">
          <IdentityPanel user={user} />
          <PasswordPanel email={user.email} onChanged={() => void sessions.reload()} />
        </div>
        <div class="stack">
          <SessionsPanel list={sessions} />
          <WorkspacesPanel />
        </div>
      </div>
    </Page>
  )
}
