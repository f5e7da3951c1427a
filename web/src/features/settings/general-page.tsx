import { useMay } from '../../state/permissions.ts'
import { useMe } from '../../state/session.tsx'
import { ApiKeysPanel } from './api-keys-panel.tsx'
import { PreferencesPanel } from './preferences-panel.tsx'
import { SettingsPage } from './settings-page.tsx'
import { WorkspacePanel } from './workspace-panel.tsx'

/** The workspace, this device, and the keys of the API. */
export function GeneralPage() {
  const me = useMe()
  const maySeeKeys = useMay('keys.manage')
  return (
    <SettingsPage title="Settings" lead={me.user === null ? undefined : `Signed in as ${me.user.email}.`}>
      <div class="columns">
        <WorkspacePanel />
        <PreferencesPanel />
      </div>
      {maySeeKeys && <ApiKeysPanel />}
    </SettingsPage>
  )
}
