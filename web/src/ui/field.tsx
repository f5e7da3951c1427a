import type { ComponentChildren, TargetedInputEvent } from 'preact'
import { type FieldTexts, LabelledControl, type TiedProps } from './labelled-control.tsx'

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

/** Each type of input has attributes of its own, so the type has to stand where the element is made. */
function Control({ type, ...rest }: InputProps & TiedProps) {
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
}: InputProps & FieldTexts & { after?: ComponentChildren }) {
  return (
    <LabelledControl label={label} hint={hint} error={error}>
      {(tied) => (
        <div class="field-control">
          <Control {...input} {...tied} />
          {after}
        </div>
      )}
    </LabelledControl>
  )
}
