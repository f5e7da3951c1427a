import { type FieldTexts, LabelledControl } from './labelled-control.tsx'

/** A labelled choice of one of a list. */
export function SelectField({
  label,
  hint,
  error,
  options,
  onChange,
  ...select
}: FieldTexts & {
  options: readonly { value: string; label: string }[]
  /** Names it in its form's data. */
  name?: string
  /** What is chosen, where the page follows it. */
  value?: string
  onChange?: (value: string) => void
}) {
  return (
    <LabelledControl label={label} hint={hint} error={error}>
      {(tied) => (
        <select
          {...select}
          {...tied}
          class="input input-select"
          onChange={(event) => onChange?.(event.currentTarget.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </LabelledControl>
  )
}
