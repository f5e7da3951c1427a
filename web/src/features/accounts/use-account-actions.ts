import { useEffect, useRef, useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { deleteAccount, restoreAccount, syncAccount, updateAccount } from '../../api/endpoints.ts'
import { asApiError } from '../../api/http.ts'
import { syncedAccountId } from '../../domain/live-events.ts'
import { useLiveEvents } from '../../state/live.tsx'
import { useToast } from '../../state/toasts.tsx'
import { accountName } from '../../ui/avatar.tsx'

export interface AccountActions {
  /** Accounts with a change under way. */
  busy: ReadonlySet<string>
  /** Accounts whose sync was asked for here and has not been reported done. */
  syncing: ReadonlySet<string>
  sync: (account: Account) => Promise<void>
  setPaused: (account: Account, paused: boolean) => Promise<void>
  /** Resolves with whether it was done. */
  remove: (account: Account) => Promise<boolean>
}

/** A sync that is not reported by then is no longer shown as running: the report may have been missed. */
const SYNC_SHOWN_MS = 90_000

function without(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set([...set].filter((other) => other !== id))
}

/** What can be done with an account; failures are told in a toast. */
export function useAccountActions(reload: () => Promise<void>): AccountActions {
  const toast = useToast()
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set())
  const [syncing, setSyncing] = useState<ReadonlySet<string>>(new Set())
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>())
  useEffect(() => {
    const running = timers.current
    return () => {
      for (const timer of running) clearTimeout(timer)
    }
  }, [])
  useLiveEvents(['sync.completed'], (event) => {
    const id = syncedAccountId(event.data)
    if (id !== null) setSyncing((set) => without(set, id))
  })

  const attempt = async (account: Account, run: () => Promise<unknown>): Promise<boolean> => {
    setBusy((set) => new Set([...set, account.id]))
    try {
      await run()
      await reload()
      return true
    } catch (error) {
      toast({ message: `${accountName(account)}: ${asApiError(error).message}`, tone: 'bad' })
      return false
    } finally {
      setBusy((set) => without(set, account.id))
    }
  }

  const restore = async (account: Account) => {
    if (await attempt(account, () => restoreAccount(account.id)))
      toast({ message: `${accountName(account)} is back.` })
  }

  return {
    busy,
    syncing,
    sync: async (account) => {
      setSyncing((set) => new Set([...set, account.id]))
      const started = await attempt(account, () => syncAccount(account.id))
      if (!started) setSyncing((set) => without(set, account.id))
      else timers.current.add(setTimeout(() => setSyncing((set) => without(set, account.id)), SYNC_SHOWN_MS))
    },
    setPaused: async (account, paused) => {
      const done = await attempt(account, () =>
        updateAccount(account.id, { status: paused ? 'paused' : 'active' }),
      )
      if (done) toast({ message: `${accountName(account)} is ${paused ? 'paused' : 'read again'}.` })
    },
    remove: async (account) => {
      const done = await attempt(account, () => deleteAccount(account.id))
      if (done)
        toast({
          message: `${accountName(account)} was removed.`,
          action: { label: 'Undo', run: () => void restore(account) },
        })
      return done
    },
  }
}
