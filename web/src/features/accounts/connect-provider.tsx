import { type ComponentChildren, createContext } from 'preact'
import { useContext, useState } from 'preact/hooks'
import { useCanWrite } from '../../state/session.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { ConnectDialog } from './connect-dialog.tsx'

const ConnectContext = createContext<(() => void) | null>(null)

/** Keeps the one dialog in which accounts are connected, for every page that offers it. */
export function ConnectProvider({ children }: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false)
  return (
    <ConnectContext.Provider value={() => setOpen(true)}>
      {children}
      {open && <ConnectDialog onClose={() => setOpen(false)} />}
    </ConnectContext.Provider>
  )
}

/** Opens the dialog. */
export function useConnect(): () => void {
  const connect = useContext(ConnectContext)
  if (connect === null) throw new Error('useConnect needs a ConnectProvider above it.')
  return connect
}

/** Offered to whoever may change the workspace. */
export function ConnectButton() {
  const connect = useConnect()
  const canWrite = useCanWrite()
  if (!canWrite) return null
  return (
    <button type="button" class="button button-primary" onClick={connect}>
      <PlusIcon size={18} /> Connect account
    </button>
  )
}
