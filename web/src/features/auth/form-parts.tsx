import type { ComponentChildren } from 'preact'

/** What went wrong with the whole of a form; nothing where nothing did. */
export function FormFailure({ text }: { text: string | null }) {
  if (text === null) return null
  return (
    <p class="form-error" role="alert">
      {text}
    </p>
  )
}

/** The one button of a form. While it is busy the form takes no second sending. */
export function SubmitButton({ busy, children }: { busy: boolean; children: ComponentChildren }) {
  return (
    <button type="submit" class="button button-primary button-wide" aria-disabled={busy}>
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  )
}
