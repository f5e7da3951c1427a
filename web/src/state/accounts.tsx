import { type ComponentChildren, createContext } from 'preact'
import { useContext, useMemo } from 'preact/hooks'
import type { Account } from '../../../src/http/wire.ts'
import { getAccounts } from '../api/endpoints.ts'
import { accountsChanged } from '../domain/live-events.ts'
import { useLiveReload } from './live.tsx'
import { type Resource, useResource } from './resource.ts'

export interface Accounts extends Resource<Account[]> {
  byId: ReadonlyMap<string, Account>
}

const AccountsContext = createContext<Accounts | null>(null)

/** A long list takes several requests, so it is asked for less often. */
const LONG_LIST = 100

/** The workspace's accounts, which filters, posts and pages all need by name. */
export function AccountsProvider({ children }: { children: ComponentChildren }) {
  const resource = useResource('accounts', (signal) => getAccounts({}, signal))
  const long = (resource.data?.length ?? 0) >= LONG_LIST
  useLiveReload(['sync.completed', 'metrics.updated'], resource.reload, {
    minIntervalMs: long ? 15_000 : 2_000,
    matters: (event) => event.type === 'sync.completed' || accountsChanged(event.data),
  })
  const byId = useMemo(
    () => new Map((resource.data ?? []).map((account) => [account.id, account])),
    [resource.data],
  )
  return <AccountsContext.Provider value={{ ...resource, byId }}>{children}</AccountsContext.Provider>
}

export function useAccounts(): Accounts {
  const accounts = useContext(AccountsContext)
  if (accounts === null) throw new Error('useAccounts needs an AccountsProvider above it.')
  return accounts
}
