import { useId } from 'preact/hooks'

export interface SelectOption {
  value: string
  label: string
}

/** A labelled choice of one of a list, with its hint and its error, tied together for those who hear them. */
export function SelectField({
  label,
  options,
  hint,
  error,
  onChange,
  ...select
}: {
  label: string
  options: readonly SelectOption[]
  /** Names it in its form's data. */
  name?: string
  /** What is chosen, where the page follows it. */
  value?: string
  onChange?: (value: string) => void
  hint?: string
  error?: string | undefined
}) {
  const id = useId()
  const hintId = `${id}-hint`
  const errorId = `${id}-error`
  const described = [error ? errorId : '', hint ? hintId : ''].filter((part) => part !== '').join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        {...select}
        id={id}
        class="input input-select"
        aria-invalid={error ? true : undefined}
        aria-describedby={described === '' ? undefined : described}
        onChange={(event) => onChange?.(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
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
