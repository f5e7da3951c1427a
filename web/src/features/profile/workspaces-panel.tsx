import { ROLE_LABELS } from '../../domain/roles.ts'
import { useMe, useSession } from '../../state/session.tsx'
import { Panel } from '../../ui/page.tsx'

/** The workspaces that the reader is a member of. */
export function WorkspacesPanel() {
  const { workspace: current, workspaces } = useMe()
  const { chooseWorkspace } = useSession()
  return (
    <Panel title="Your workspaces">
      <ul class="session-list">
        {workspaces.map(({ id, name, role, timezone }) => (
          <li key={id} class="session-row">
            <div class="session-words">
              <p class="breaking">
                <strong>{name}</strong> <span class="tag">{ROLE_LABELS[role]}</span>
              </p>
              <p class="quiet small">{timezone.replaceAll('_', ' ')}</p>
            </div>
            {id === current.id ? (
              <span class="tag">You are here</span>
            ) : (
              <button
                type="button"
                class="button"
                aria-label={`Open ${name}`}
                onClick={() => void chooseWorkspace(id)}
              >
                Open
              </button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
