import { useState } from 'preact/hooks'
import { asApiError } from '../../api/http.ts'
import { failureSentence, fieldSentence } from './form-words.ts'

type Errors<Name extends string> = ReadonlyMap<Name, string>

interface FormOptions<Name extends string> {
  /** Its fields, in their order. */
  fields: readonly Name[]
  /** What is wrong with a field, before anything is sent; `null`: nothing. */
  check: (field: Name, value: (field: Name) => string) => string | null
  /** Sends it. What is thrown is shown, at the field where it names one. */
  send: (value: (field: Name) => string, form: HTMLFormElement) => Promise<void>
}

export interface FormState<Name extends string> {
  errors: Errors<Name>
  /** What went wrong with the whole. */
  failure: string | null
  busy: boolean
  submit: (event: SubmitEvent) => Promise<void>
}

/**
 * A form whose fields are read when it is sent, and not kept meanwhile: password managers fill fields without
 * telling, and secrets stay where they were typed.
 */
export function useForm<Name extends string>({ fields, check, send }: FormOptions<Name>): FormState<Name> {
  const [errors, setErrors] = useState<Errors<Name>>(new Map())
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  const show = (form: HTMLFormElement, found: Errors<Name>) => {
    setErrors(found)
    const [first] = found.keys()
    if (first !== undefined) form.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus()
  }

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement) || busy) return
    const data = new FormData(form)
    const value = (field: Name) => {
      const entry = data.get(field)
      return typeof entry === 'string' ? entry : ''
    }
    const sentences = (of: (field: Name) => string | null | undefined) =>
      new Map(
        fields.flatMap((field): [Name, string][] => {
          const sentence = of(field)
          return sentence == null ? [] : [[field, sentence]]
        }),
      )
    const found = sentences((field) => check(field, value))
    setFailure(null)
    show(form, found)
    if (found.size > 0) return
    setBusy(true)
    try {
      await send(value, form)
    } catch (thrown) {
      const error = asApiError(thrown)
      const refused = sentences((field) => fieldSentence(error, field))
      if (refused.size === 0) setFailure(failureSentence(error))
      show(form, refused)
    } finally {
      setBusy(false)
    }
  }

  return { errors, failure, busy, submit }
}
