import { useState } from 'preact/hooks'
import { createWorkspace } from '../api/access.ts'
import { type ApiError, asApiError } from '../api/http.ts'
import { timezoneChoices } from '../domain/timezones.ts'
import { useSession } from '../state/session.tsx'
import { useToast } from '../state/toasts.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { FormActions } from '../ui/form-actions.tsx'
import { FormProblem } from '../ui/form-problem.tsx'
import { SelectField } from '../ui/select-field.tsx'

/** The timezone that this browser keeps, which is most likely the reader's. */
function guessTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

/** Makes another workspace, and goes there. */
export function CreateWorkspaceDialog({ onClose }: { onClose: () => void }) {
  const { chooseWorkspace } = useSession()
  const toast = useToast()
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
        <SelectField
          label="Timezone"
          value={timezone}
          onChange={setTimezone}
          options={timezoneChoices(timezone)}
          hint="Days begin and end by its clock."
        />
        <FormProblem error={error} />
        <FormActions onClose={onClose} ready={ready}>
          {busy ? 'Making it…' : 'Make it'}
        </FormActions>
      </form>
    </Dialog>
  )
}
