import type { ComponentChildren, TargetedInputEvent } from 'preact'
import { useId } from 'preact/hooks'

/** What is passed on to the input as it is. */
interface InputProps {
  name?: string
  type: 'text' | 'email' | 'password' | 'date'
  inputmode?: 'email' | 'numeric'
  autocomplete?: string
  autocapitalize?: 'none'
  autocorrect?: 'off'
  spellcheck?: boolean
  placeholder?: string | undefined
  minLength?: number | undefined
  maxLength?: number
  max?: string
  required?: boolean
  autoFocus?: boolean
  value?: string
  /** What stands in it at first, where the page does not follow what is typed. */
  defaultValue?: string | undefined
  readOnly?: boolean
  onInput?: (event: TargetedInputEvent<HTMLInputElement>) => void
}

type ControlProps = InputProps & {
  id: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}

/** Each type of input has attributes of its own, so the type has to stand where the element is made. */
function Control({ type, ...rest }: ControlProps) {
  switch (type) {
    case 'text':
      return <input {...rest} type="text" class="input" />
    case 'email':
      return <input {...rest} type="email" class="input" />
    case 'password':
      return <input {...rest} type="password" class="input" />
    case 'date':
      return <input {...rest} type="date" class="input" />
  }
}

/** A labelled input with its hint and its error, tied together for those who hear them. */
export function Field({
  label,
  hint,
  error,
  after,
  ...input
}: InputProps & {
  label: string
  hint?: ComponentChildren
  error?: string | null | undefined
  after?: ComponentChildren
}) {
  const id = useId()
  const hintId = `${id}-hint`
  const errorId = `${id}-error`
  const described = [error ? errorId : '', hint ? hintId : ''].filter((part) => part !== '').join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-control">
        <Control
          {...input}
          id={id}
          aria-invalid={error ? true : undefined}
          aria-describedby={described === '' ? undefined : described}
        />
        {after}
      </div>
      {error && (
        <p class="field-error" id={errorId} role="alert">
          {error}
        </p>
      )}
      {hint && (
        <p class="field-hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  )
}
