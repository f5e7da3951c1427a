import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { CrossIcon } from '../ui/icons.tsx'

export interface Toast {
  message: string
  tone?: 'plain' | 'bad'
  action?: { label: string; run: () => void }
}

type Shown = Toast & { id: number }

const ToastContext = createContext<((toast: Toast) => void) | null>(null)

/** An offer to undo stays longer than plain news. */
const PLAIN_MS = 6_000
const WITH_ACTION_MS = 12_000

function ToastView({ toast, close }: { toast: Shown; close: () => void }) {
  const [paused, setPaused] = useState(false)
  const onClose = useRef(close)
  onClose.current = close
  useEffect(() => {
    if (paused) return
    const timer = setTimeout(() => onClose.current(), toast.action === undefined ? PLAIN_MS : WITH_ACTION_MS)
    return () => clearTimeout(timer)
  }, [paused, toast])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointing at it or being in it only makes it stay
    <div
      class={`toast ${toast.tone === 'bad' ? 'toast-bad' : ''}`}
      onMouseEnter={() => setPaused(true)}
      onMouseLeave={() => setPaused(false)}
      onFocusIn={() => setPaused(true)}
      onFocusOut={() => setPaused(false)}
    >
      <span>{toast.message}</span>
      {toast.action && (
        <button
          type="button"
          class="toast-action"
          onClick={() => {
            toast.action?.run()
            close()
          }}
        >
          {toast.action.label}
        </button>
      )}
      <button type="button" class="icon-button" aria-label="Dismiss" onClick={close}>
        <CrossIcon />
      </button>
    </div>
  )
}

/** Short news at the edge of the page, read out politely. */
export function ToastProvider({ children }: { children: ComponentChildren }) {
  const [toasts, setToasts] = useState<Shown[]>([])
  const nextId = useRef(1)
  const show = useCallback((toast: Toast) => {
    const id = nextId.current
    nextId.current += 1
    setToasts((shown) => [...shown.slice(-2), { ...toast, id }])
  }, [])
  return (
    <ToastContext.Provider value={show}>
      {children}
      <div class="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <ToastView
            key={toast.id}
            toast={toast}
            close={() => setToasts((shown) => shown.filter((other) => other.id !== toast.id))}
          />
        ))}
      </div>
    </ToastContext.Provider>
  )
}

export function useToast(): (toast: Toast) => void {
  const show = useContext(ToastContext)
  if (show === null) throw new Error('useToast needs a ToastProvider above it.')
  return show
}
