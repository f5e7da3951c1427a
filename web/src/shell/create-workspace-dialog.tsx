import { useId, useState } from 'preact/hooks'
import { createWorkspace } from '../api/access.ts'
import { type ApiError, asApiError } from '../api/http.ts'
import { timezoneChoices } from '../domain/timezones.ts'
import { useSession } from '../state/session.tsx'
import { useToast } from '../state/toasts.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { FormProblem } from '../ui/form-problem.tsx'

/** The timezone that this browser keeps, which is most likely the reader's. */
function guessTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

/** Makes another workspace, and goes there. */
export function CreateWorkspaceDialog({ onClose }: { onClose: () => void }) {
  const { chooseWorkspace } = useSession()
  const toast = useToast()
  const timezoneId = useId()
  const [name, setName] = useState('')
  const [timezone, setTimezone] = useState(guessTimezone)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const ready = !busy && name.trim() !== ''

  const submit = async (event: Event) => {
    event.preventDefault()
    if (!ready) return
    setBusy(true)
    setError(null)
    try {
      const made = await createWorkspace({ name: name.trim(), timezone })
      toast({ message: `The workspace “${made.name}” was made.` })
      onClose()
      await chooseWorkspace(made.id)
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
    }
  }

  return (
    <Dialog title="Make a workspace" onClose={onClose}>
      <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
        <p class="quiet">It has accounts, members and keys of its own. You are its owner.</p>
        <Field
          label="Name"
          type="text"
          maxLength={100}
          autocomplete="off"
          autoFocus
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <div class="field">
          <label for={timezoneId}>Timezone</label>
          <select
            id={timezoneId}
            class="input input-select"
            value={timezone}
            onChange={(event) => setTimezone(event.currentTarget.value)}
          >
            {timezoneChoices(timezone).map((choice) => (
              <option key={choice} value={choice}>
                {choice.replaceAll('_', ' ')}
              </option>
            ))}
          </select>
          <p class="field-hint">Days begin and end by its clock.</p>
        </div>
        <FormProblem error={error} />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" aria-disabled={!ready}>
            {busy ? 'Making it…' : 'Make it'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
