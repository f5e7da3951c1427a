import { useState } from 'preact/hooks'
import { MIN_PASSWORD_LENGTH } from '../api/auth.ts'
import { Field } from './field.tsx'

/** A password, hidden until the reader asks to see it. Nothing of it is kept: forms read the input itself. */
export function PasswordField({
  label = 'Password',
  name = 'password',
  isNew = false,
  error,
}: {
  label?: string
  name?: string
  /** Chosen here, so the rules are told and password managers offer one. */
  isNew?: boolean
  error: string | undefined
}) {
  const [visible, setVisible] = useState(false)
  return (
    <Field
      label={label}
      name={name}
      type={visible ? 'text' : 'password'}
      autocomplete={isNew ? 'new-password' : 'current-password'}
      autocapitalize="none"
      autocorrect="off"
      spellcheck={false}
      minLength={isNew ? MIN_PASSWORD_LENGTH : undefined}
      error={error}
      hint={isNew ? `At least ${MIN_PASSWORD_LENGTH} characters, such as a few words in a row.` : undefined}
      required
      after={
        <button
          type="button"
          class="field-button"
          aria-pressed={visible}
          aria-label={`Show the ${label.toLowerCase()}`}
          onClick={() => setVisible(!visible)}
        >
          {visible ? 'Hide' : 'Show'}
        </button>
      }
    />
  )
}
