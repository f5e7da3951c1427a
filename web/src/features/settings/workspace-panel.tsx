import { useState } from 'preact/hooks'
import { updateWorkspace } from '../../api/access.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { ROLE_LABELS } from '../../domain/roles.ts'
import { timezoneChoices } from '../../domain/timezones.ts'
import { formatInstant } from '../../format/dates.ts'
import { useNow } from '../../state/now.ts'
import { useMay } from '../../state/permissions.ts'
import { forgetResources } from '../../state/resource.ts'
import { useMe, useSession } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { Field } from '../../ui/field.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'
import { Panel } from '../../ui/page.tsx'
import { SelectField } from '../../ui/select-field.tsx'

function WorkspaceFacts() {
  const { workspace } = useMe()
  return (
    <dl class="facts">
      <div>
        <dt>Name</dt>
        <dd>{workspace.name}</dd>
      </div>
      <div>
        <dt>Timezone</dt>
        <dd>{workspace.timezone.replaceAll('_', ' ')}</dd>
      </div>
    </dl>
  )
}

function WorkspaceForm() {
  const { workspace } = useMe()
  const { refresh } = useSession()
  const toast = useToast()
  const [name, setName] = useState(workspace.name)
  const [timezone, setTimezone] = useState(workspace.timezone)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const changed = name.trim() !== workspace.name || timezone !== workspace.timezone
  const ready = changed && name.trim() !== '' && !busy

  const submit = async (event: Event) => {
    event.preventDefault()
    if (!ready) return
    setBusy(true)
    setError(null)
    try {
      await updateWorkspace(workspace.id, { name: name.trim(), timezone })
      // Answers that were kept count other days.
      forgetResources()
      await refresh()
      toast({ message: 'The workspace was changed.' })
    } catch (failure) {
      setError(asApiError(failure))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form class="workspace-form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="Name"
        type="text"
        maxLength={100}
        autocomplete="off"
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
        error={name.trim() === '' ? 'A workspace needs a name.' : null}
      />
      <SelectField
        label="Timezone"
        value={timezone}
        onChange={setTimezone}
        options={timezoneChoices(workspace.timezone)}
      />
      <FormProblem error={error} />
      <div class="dialog-actions">
        <button type="submit" class="button button-primary" aria-disabled={!ready}>
          {busy ? 'Saving…' : 'Save'}
        </button>
      </div>
    </form>
  )
}

/** Which workspace this is, and by whose clock its days are counted. */
export function WorkspacePanel() {
  const { workspace } = useMe()
  const mayChange = useMay('workspace.write')
  const nowMs = useNow()
  return (
    <Panel
      title="Workspace"
      aside={workspace.role !== null && <span class="tag">{ROLE_LABELS[workspace.role]}</span>}
    >
      {mayChange ? <WorkspaceForm key={workspace.id} /> : <WorkspaceFacts />}
      <p class="quiet small">
        Days of every figure begin and end at midnight of this timezone, where it is now{' '}
        {formatInstant(new Date(nowMs), workspace.timezone)}.
      </p>
    </Panel>
  )
}
