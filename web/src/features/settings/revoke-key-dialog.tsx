import type { ApiKey } from '../../api/endpoints.ts'
import { Dialog } from '../../ui/dialog.tsx'

/** Asks before a key stops working, which cannot be undone. */
export function RevokeKeyDialog({
  apiKey,
  revoke,
  onClose,
}: {
  apiKey: ApiKey
  revoke: () => void
  onClose: () => void
}) {
  return (
    <Dialog title={`Revoke “${apiKey.name}”?`} onClose={onClose}>
      <p>Programs that use this key are refused from now on. This cannot be undone.</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="button button-primary button-danger" onClick={revoke}>
          Revoke the key
        </button>
      </div>
    </Dialog>
  )
}
