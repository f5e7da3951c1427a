import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'

/** What stands around a form's control. */
export interface FieldTexts {
  label: string
  hint?: ComponentChildren
  error?: string | null | undefined
}

/** What ties a control to its texts. */
export interface TiedProps {
  id: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}

/** A control under its label, with its hint and its error: seen together, and heard together. */
export function LabelledControl({
  label,
  hint,
  error,
  children,
}: FieldTexts & { children: (tied: TiedProps) => JSX.Element }) {
  const id = useId()
  const hintId = `${id}-hint`
  const errorId = `${id}-error`
  const described = [error ? errorId : '', hint ? hintId : ''].filter((part) => part !== '').join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        'aria-invalid': error ? true : undefined,
        'aria-describedby': described === '' ? undefined : described,
      })}
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
