import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { type ApiError, asApiError } from '../api/http.ts'
import { Dialog } from './dialog.tsx'
import { Field } from './field.tsx'
import { FormProblem } from './form-problem.tsx'

/**
 * Asks before something that cannot simply be undone, and does it. What fails is said in the dialog, which
 * stays. Whoever opens it closes it once `run` has resolved.
 */
export function ConfirmDialog({
  title,
  action,
  keep = 'Cancel',
  typed,
  isHarmless = false,
  run,
  onClose,
  children,
}: {
  title: string
  /** What the button that does it says. */
  action: string
  keep?: string
  /** What has to be typed first, for what weighs most. */
  typed?: string
  /** Nothing is lost by it: its button is not red. */
  isHarmless?: boolean
  run: () => Promise<void>
  onClose: () => void
  children: ComponentChildren
}) {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const ready = !busy && (typed === undefined || text.trim() === typed.trim())

  const submit = async (event: Event) => {
    event.preventDefault()
    if (!ready) return
    setBusy(true)
    setError(null)
    try {
      await run()
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
        {children}
        {typed !== undefined && (
          <Field
            label={`Type “${typed}” to confirm`}
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
        <FormProblem error={error} />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            {keep}
          </button>
          <button
            type="submit"
            class={`button button-primary ${isHarmless ? '' : 'button-danger'}`}
            aria-disabled={!ready}
          >
            {busy && <span class="spinner" aria-hidden="true" />}
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
