import { useState } from 'preact/hooks'
import type { CreatedInvitation } from '../../../../src/http/wire.ts'
import { createInvitation } from '../../api/access.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { rolesWithin } from '../../domain/roles.ts'
import { formatInstant } from '../../format/dates.ts'
import { useMe, useTimezone } from '../../state/session.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'
import { SelectField } from '../../ui/select-field.tsx'
import { ShownOnce } from '../../ui/shown-once.tsx'
import { type Access, AccessFields, accessProblem, normalised } from './access-fields.tsx'

const EXPIRIES = [
  { days: 1, label: 'In a day' },
  { days: 7, label: 'In a week' },
  { days: 30, label: 'In 30 days' },
] as const

function Created({ invitation, onClose }: { invitation: CreatedInvitation; onClose: () => void }) {
  const timezone = useTimezone()
  const { email, mailed, url, expiresAt } = invitation
  return (
    <>
      <p role="status">
        {mailed && email !== null
          ? `A mail with this link is on its way to ${email}.`
          : 'No mail was sent: pass the link on yourself.'}{' '}
        {email === null ? 'Whoever has it can join once.' : `Only ${email} can join by it, once.`}
      </p>
      <ShownOnce name="The link" value={url} />
      <p class="quiet small">
        This is the only time the link is shown. It works until {formatInstant(expiresAt, timezone)}.
      </p>
      <div class="dialog-actions">
        <button type="button" class="button button-primary" onClick={onClose}>
          Done
        </button>
      </div>
    </>
  )
}

function InviteForm({
  onCreated,
  onClose,
}: {
  onCreated: (invitation: CreatedInvitation) => void
  onClose: () => void
}) {
  const { workspace } = useMe()
  const [email, setEmail] = useState('')
  const [access, setAccess] = useState<Access>({ role: 'viewer', brands: null })
  const [days, setDays] = useState(7)
  const [busy, setBusy] = useState(false)
  const [tried, setTried] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const problem = accessProblem(access)
  const emailError =
    error?.status === 400 ? error.fields.find((field) => field.pointer === '/email')?.detail : undefined

  const submit = async (event: Event) => {
    event.preventDefault()
    setTried(true)
    if (busy || problem !== null) return
    setBusy(true)
    setError(null)
    const { role, brands } = normalised(access)
    try {
      onCreated(
        await createInvitation(workspace.id, {
          ...(email.trim() === '' ? {} : { email: email.trim() }),
          role,
          brands,
          expiresInDays: days,
        }),
      )
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
    }
  }

  return (
    <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="E-mail (optional)"
        type="email"
        inputmode="email"
        autocomplete="off"
        autoFocus
        value={email}
        onInput={(event) => {
          setEmail(event.currentTarget.value)
          setError(null)
        }}
        error={emailError === undefined ? null : `This ${emailError}.`}
        hint="Only this address can then use the link. Without one, whoever has the link can."
      />
      <AccessFields access={access} roles={rolesWithin(workspace.role)} change={setAccess} />
      <SelectField
        label="The link expires"
        value={String(days)}
        onChange={(value) => setDays(Number(value))}
        options={EXPIRIES.map((expiry) => ({ value: String(expiry.days), label: expiry.label }))}
      />
      {tried && problem !== null && (
        <p class="field-error" role="alert">
          {problem}
        </p>
      )}
      <FormProblem error={emailError === undefined ? error : null} />
      <FormActions onClose={onClose} ready={!busy}>
        {busy ? 'Making the link…' : 'Make the invitation'}
      </FormActions>
    </form>
  )
}

/** Invites somebody, and shows the link this once. */
export function InviteDialog({ onCreated, onClose }: { onCreated: () => void; onClose: () => void }) {
  const [created, setCreated] = useState<CreatedInvitation | null>(null)
  return (
    <Dialog
      title={created === null ? 'Invite somebody' : 'The invitation'}
      // A stray click or Escape must not lose a link that is shown once.
      onClose={created === null ? onClose : () => undefined}
    >
      {created === null ? (
        <InviteForm
          onClose={onClose}
          onCreated={(invitation) => {
            setCreated(invitation)
            onCreated()
          }}
        />
      ) : (
        <Created invitation={created} onClose={onClose} />
      )}
    </Dialog>
  )
}
