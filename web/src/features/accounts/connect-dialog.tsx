import { useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ConnectForm } from './connect-form.tsx'
import { Connected } from './connected.tsx'

/** Connects accounts by their handle, one after the other, or leads to where people sign in. */
export function ConnectDialog({ onClose }: { onClose: () => void }) {
  const accounts = useAccounts()
  const [account, setAccount] = useState<Account | null>(null)
  return (
    <Dialog title={account === null ? 'Connect an account' : 'Account connected'} onClose={onClose}>
      {account === null ? (
        <ConnectForm
          onClose={onClose}
          onConnected={(connected) => {
            setAccount(connected)
            void accounts.reload()
          }}
        />
      ) : (
        <Connected account={account} again={() => setAccount(null)} onClose={onClose} />
      )}
    </Dialog>
  )
}
