import { useId, useState } from 'preact/hooks'
import type { Member } from '../../../../src/http/wire.ts'
import { transferWorkspace } from '../../api/access.ts'
import { useMe, useSession } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'

/** Makes another member the owner; the reader stays as an admin. */
export function TransferDialog({
  heirs,
  onDone,
  onClose,
}: {
  heirs: readonly Member[]
  onDone: () => void
  onClose: () => void
}) {
  const { workspace } = useMe()
  const { refresh } = useSession()
  const toast = useToast()
  const selectId = useId()
  const [userId, setUserId] = useState(heirs[0]?.userId ?? '')
  const heir = heirs.find((member) => member.userId === userId)
  const transfer = async () => {
    if (heir === undefined) return
    await transferWorkspace(workspace.id, heir.userId)
    toast({ message: `“${workspace.name}” now belongs to ${heir.name}.` })
    await refresh()
    onDone()
  }
  return (
    <ConfirmDialog
      title={`Hand over “${workspace.name}”`}
      action="Hand over"
      typed={workspace.name}
      run={transfer}
      onClose={onClose}
    >
      <div class="field">
        <label for={selectId}>New owner</label>
        <select
          id={selectId}
          class="input input-select"
          value={userId}
          onChange={(event) => setUserId(event.currentTarget.value)}
        >
          {heirs.map((member) => (
            <option key={member.userId} value={member.userId}>
              {member.name} ({member.email})
            </option>
          ))}
        </select>
      </div>
      <p>
        They become an owner and you an admin, at once. Only they can undo this. Other owners stay what they
        are.
      </p>
    </ConfirmDialog>
  )
}
