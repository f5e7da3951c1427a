import { ThemeChooser } from '../../shell/user-menu.tsx'
import { Panel } from '../../ui/page.tsx'

/** What is kept on this device alone. */
export function PreferencesPanel() {
  return (
    <Panel title="This device">
      <div class="menu-field">
        <span>Theme</span>
        <ThemeChooser />
      </div>
      <p class="quiet small">Kept in this browser; other devices have their own.</p>
    </Panel>
  )
}
