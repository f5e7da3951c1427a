import type { ComponentChildren } from 'preact'

/**
 * The end of a dialog's form: the way out, and the button that sends it. One that is not `ready` can still be
 * reached, so that it is heard of; the form itself refuses to be sent then.
 */
export function FormActions({
  onClose,
  ready,
  children,
}: {
  onClose: () => void
  ready: boolean
  /** What the button says. */
  children: ComponentChildren
}) {
  return (
    <div class="dialog-actions">
      <button type="button" class="button" onClick={onClose}>
        Cancel
      </button>
      <button type="submit" class="button button-primary" aria-disabled={!ready}>
        {children}
      </button>
    </div>
  )
}
