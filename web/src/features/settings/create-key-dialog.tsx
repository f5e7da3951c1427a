import { useEffect, useRef, useState } from 'preact/hooks'
import { type CreatedApiKey, createApiKey } from '../../api/endpoints.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { useMe } from '../../state/session.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { CheckIcon, CopyIcon } from '../../ui/icons.tsx'
import { FieldErrors } from '../../ui/states.tsx'

const SCOPES = [
  { value: 'read', label: 'Read', help: 'Ask for figures, posts and accounts.' },
  { value: 'write', label: 'Write', help: 'Connect accounts, sync and import.' },
  { value: 'admin', label: 'Admin', help: 'Manage keys and the workspace.' },
] as const

const EXPIRIES = [
  { days: 30, label: 'In 30 days' },
  { days: 90, label: 'In 90 days' },
  { days: 365, label: 'In a year' },
  { days: 0, label: 'Never' },
] as const

function NewKey({ apiKey, onClose }: { apiKey: CreatedApiKey; onClose: () => void }) {
  const [copied, setCopied] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.select(), [])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(apiKey.key)
      setCopied(true)
    } catch {
      // Not allowed here: the selected text can be copied by hand.
      field.current?.select()
    }
  }
  return (
    <>
      <p>This is the only time the key is shown. Copy it now and keep it like a password.</p>
      <div class="new-key">
        <input ref={field} class="input" type="text" readOnly value={apiKey.key} aria-label="The new key" />
        <button type="button" class="button" onClick={() => void copy()}>
          {copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />} {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <p class="visually-hidden" role="status">
        {copied ? 'The key was copied.' : ''}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button button-primary" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </>
  )
}

function KeyForm({ onCreated, onClose }: { onCreated: (key: CreatedApiKey) => void; onClose: () => void }) {
  const me = useMe()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly string[]>(['read'])
  const [days, setDays] = useState(90)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const allowed = SCOPES.filter((scope) => me.scopes.includes(scope.value))

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy || name.trim() === '' || scopes.length === 0) return
    setBusy(true)
    setError(null)
    try {
      onCreated(
        await createApiKey({
          name: name.trim(),
          scopes: [...scopes],
          ...(days === 0 ? {} : { expiresInDays: days }),
        }),
      )
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
    }
  }

  return (
    <form class="key-form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="Name"
        type="text"
        maxLength={100}
        autocomplete="off"
        autoFocus
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
        hint="What will use it, such as “Weekly report”."
      />
      <fieldset class="scope-choice">
        <legend>What it may do</legend>
        {allowed.map(({ value, label, help }) => (
          <label key={value} class="choice">
            <input
              type="checkbox"
              checked={scopes.includes(value)}
              onChange={(event) =>
                setScopes(
                  event.currentTarget.checked
                    ? [...scopes, value]
                    : scopes.filter((scope) => scope !== value),
                )
              }
            />
            <span>
              <strong>{label}</strong> <span class="quiet">{help}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div class="field">
        <label for="key-expiry">Expires</label>
        <select
          id="key-expiry"
          class="input input-select"
          value={days}
          onChange={(event) => setDays(Number(event.currentTarget.value))}
        >
          {EXPIRIES.map((expiry) => (
            <option key={expiry.days} value={expiry.days}>
              {expiry.label}
            </option>
          ))}
        </select>
      </div>
      {error !== null && (
        <div class="form-error" role="alert">
          <p>{error.message}</p>
          <FieldErrors error={error} />
        </div>
      )}
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="submit"
          class="button button-primary"
          aria-disabled={busy || name.trim() === '' || scopes.length === 0}
        >
          {busy ? 'Creating…' : 'Create key'}
        </button>
      </div>
    </form>
  )
}

/** Makes a key and shows it this once. */
export function CreateKeyDialog({
  onCreated,
  onClose,
}: {
  onCreated: (key: CreatedApiKey) => void
  onClose: () => void
}) {
  const [created, setCreated] = useState<CreatedApiKey | null>(null)
  // A stray click or Escape must not lose a key that is shown once.
  const close = created === null ? onClose : () => undefined
  return (
    <Dialog title={created === null ? 'Create an API key' : 'Your new key'} onClose={close}>
      {created === null ? (
        <KeyForm
          onClose={onClose}
          onCreated={(key) => {
            setCreated(key)
            onCreated(key)
          }}
        />
      ) : (
        <NewKey apiKey={created} onClose={onClose} />
      )}
    </Dialog>
  )
}
