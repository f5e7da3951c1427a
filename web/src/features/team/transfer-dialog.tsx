import { useState } from 'preact/hooks'
import type { Member } from '../../../../src/http/wire.ts'
import { transferWorkspace } from '../../api/access.ts'
import { useMe, useSession } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { SelectField } from '../../ui/select-field.tsx'

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
      <SelectField
        label="New owner"
        value={userId}
        onChange={setUserId}
        options={heirs.map((member) => ({ value: member.userId, label: `${member.name} (${member.email})` }))}
      />
      <p>
        They become an owner and you an admin, at once. Only they can undo this. Other owners stay what they
        are.
      </p>
    </ConfirmDialog>
  )
}
