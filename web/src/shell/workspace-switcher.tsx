import { ROLE_LABELS } from '../domain/roles.ts'
import { useMay } from '../state/permissions.ts'
import { useMe, useSession } from '../state/session.tsx'
import { CheckIcon, PlusIcon } from '../ui/icons.tsx'
import { Popover } from '../ui/popover.tsx'

function Choice({
  workspace,
  current,
  choose,
}: {
  workspace: ReturnType<typeof useMe>['workspaces'][number]
  current: boolean
  choose: () => void
}) {
  return (
    <button
      type="button"
      class="workspace-choice"
      aria-current={current ? 'true' : undefined}
      onClick={choose}
    >
      <span class="workspace-choice-words">
        <span class="ellipsis">{workspace.name}</span>
        <span class="quiet small">{ROLE_LABELS[workspace.role]}</span>
      </span>
      {current && <CheckIcon size={18} />}
    </button>
  )
}

/** Which workspace this is, and the ways to the others. @param create asks for a new one */
export function WorkspaceSwitcher({ create }: { create: () => void }) {
  const me = useMe()
  const { chooseWorkspace } = useSession()
  const mayCreate = useMay('workspaces.create')
  const { workspace } = me
  return (
    <Popover
      label={<span class="workspace-name">{workspace.name}</span>}
      name={`Workspace: ${workspace.name}`}
      panelLabel="Workspaces"
      buttonClass="workspace-button"
    >
      {(close) => (
        <>
          <ul class="workspace-choices">
            {me.workspaces.map((choice) => (
              <li key={choice.id}>
                <Choice
                  workspace={choice}
                  current={choice.id === workspace.id}
                  choose={() => {
                    close()
                    if (choice.id !== workspace.id) void chooseWorkspace(choice.id)
                  }}
                />
              </li>
            ))}
          </ul>
          {mayCreate && (
            <button
              type="button"
              class="button"
              onClick={() => {
                close()
                create()
              }}
            >
              <PlusIcon size={16} /> Make a workspace
            </button>
          )}
        </>
      )}
    </Popover>
  )
}
