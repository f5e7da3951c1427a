import { useCanAdminister, useMe } from '../../state/session.tsx'
import { Page } from '../../ui/page.tsx'
import { ApiKeysPanel } from './api-keys-panel.tsx'
import { PreferencesPanel } from './preferences-panel.tsx'
import { WorkspacePanel } from './workspace-panel.tsx'

/** The workspace, this device, and the keys of the API. */
export function SettingsPage() {
  const me = useMe()
  const canAdminister = useCanAdminister()
  return (
    <Page title="Settings" lead={me.user === null ? undefined : `Signed in as ${me.user.email}.`}>
      <div class="columns">
        <WorkspacePanel />
        <PreferencesPanel />
      </div>
      {canAdminister && <ApiKeysPanel />}
    </Page>
  )
}
