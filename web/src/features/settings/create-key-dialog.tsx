import { useState } from 'preact/hooks'
import type { CreateApiKey, CreatedApiKey } from '../../../../src/http/wire.ts'
import { createApiKey } from '../../api/access.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { useMe } from '../../state/session.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'
import { SelectField } from '../../ui/select-field.tsx'
import { ShownOnce } from '../../ui/shown-once.tsx'

const SCOPES = [
  { value: 'read', label: 'Read', help: 'Ask for figures, posts and accounts.' },
  { value: 'write', label: 'Write', help: 'Connect accounts, sync and import.' },
  { value: 'admin', label: 'Admin', help: 'Manage members, brands, keys and the workspace.' },
  { value: 'operator', label: 'Operator', help: 'Watch and mend the deployment itself.' },
] as const satisfies readonly { value: CreateApiKey['scopes'][number]; label: string; help: string }[]

/** Most requests a minute that a key can be given. */
const MAX_PER_MINUTE = 1_000_000
const LIMIT_HINT = 'A whole number from 1 to 1,000,000, or nothing.'

const EXPIRIES = [
  { days: 30, label: 'In 30 days' },
  { days: 90, label: 'In 90 days' },
  { days: 365, label: 'In a year' },
  { days: 0, label: 'Never' },
] as const

function NewKey({ apiKey, onClose }: { apiKey: CreatedApiKey; onClose: () => void }) {
  return (
    <>
      <p>This is the only time the key is shown. Copy it now and keep it like a password.</p>
      <ShownOnce name="The new key" value={apiKey.key} />
      <div class="dialog-actions">
        <button type="button" class="button button-primary" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </>
  )
}

/** A limit as it was typed: a whole number, or nothing for the deployment's own; `null`: neither. */
function parseLimit(text: string): number | undefined | null {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const value = /^\d{1,7}$/.test(trimmed) ? Number(trimmed) : 0
  return value >= 1 && value <= MAX_PER_MINUTE ? value : null
}

function KeyForm({ onCreated, onClose }: { onCreated: (key: CreatedApiKey) => void; onClose: () => void }) {
  const me = useMe()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<CreateApiKey['scopes']>(['read'])
  const [days, setDays] = useState(90)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const [reads, setReads] = useState('')
  const [writes, setWrites] = useState('')
  const [readsPerMinute, writesPerMinute] = [parseLimit(reads), parseLimit(writes)]
  const ready =
    !busy && name.trim() !== '' && scopes.length > 0 && readsPerMinute !== null && writesPerMinute !== null
  const allowed = SCOPES.filter((scope) => me.scopes.includes(scope.value))

  const submit = async (event: Event) => {
    event.preventDefault()
    if (!ready) return
    setBusy(true)
    setError(null)
    try {
      onCreated(
        await createApiKey({
          name: name.trim(),
          scopes: [...scopes],
          ...(days === 0 ? {} : { expiresInDays: days }),
          limits: {
            ...(readsPerMinute === undefined ? {} : { readsPerMinute }),
            ...(writesPerMinute === undefined ? {} : { writesPerMinute }),
          },
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
      <SelectField
        label="Expires"
        value={String(days)}
        onChange={(value) => setDays(Number(value))}
        options={EXPIRIES.map((expiry) => ({ value: String(expiry.days), label: expiry.label }))}
      />
      <details class="earlier">
        <summary>Limits of its own</summary>
        <div class="limit-fields">
          <Field
            label="Reads a minute"
            type="text"
            inputmode="numeric"
            autocomplete="off"
            value={reads}
            onInput={(event) => setReads(event.currentTarget.value)}
            error={readsPerMinute === null ? LIMIT_HINT : null}
          />
          <Field
            label="Writes a minute"
            type="text"
            inputmode="numeric"
            autocomplete="off"
            value={writes}
            onInput={(event) => setWrites(event.currentTarget.value)}
            error={writesPerMinute === null ? LIMIT_HINT : null}
          />
        </div>
        <p class="field-hint">Empty: as the deployment allows. They can only be lower than that.</p>
      </details>
      <FormProblem error={error} />
      <FormActions onClose={onClose} ready={ready}>
        {busy ? 'Creating…' : 'Create key'}
      </FormActions>
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
