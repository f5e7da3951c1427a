import { useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { type AccountFilter, matchesFilter, matchesText } from '../../domain/account-status.ts'
import { formatCount, plural } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import type { Resource } from '../../state/resource.ts'
import { replaceSearch, useLocation } from '../../state/router.tsx'
import { AccountsIcon } from '../../ui/icons.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { Welcome } from '../overview/welcome.tsx'
import { AccountsTable } from './accounts-table.tsx'
import { ConnectButton } from './connect-provider.tsx'

const FILTERS: readonly { value: AccountFilter; label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'active', label: 'Active' },
  { value: 'attention', label: 'Needs attention' },
  { value: 'paused', label: 'Paused' },
  { value: 'imported', label: 'Imported' },
]

function isFilter(text: string | null): text is AccountFilter {
  return FILTERS.some((filter) => filter.value === text)
}

function List({
  list,
  filter,
  text,
  clear,
}: {
  list: Resource<Account[]>
  filter: AccountFilter
  text: string
  clear: () => void
}) {
  if (list.data === undefined)
    return list.error === undefined ? (
      <SkeletonRows count={6} class="skeleton-account" />
    ) : (
      <ErrorState error={list.error} retry={() => void list.reload()} />
    )
  const shown = list.data.filter((account) => matchesFilter(account, filter) && matchesText(account, text))
  return (
    <>
      <p class="visually-hidden" role="status">
        {plural(shown.length, 'account')} shown
      </p>
      {shown.length > 0 ? (
        <AccountsTable accounts={shown} reload={list.reload} />
      ) : (
        <EmptyState icon={<AccountsIcon size={28} />} title="No account matches.">
          <button type="button" class="button" onClick={clear}>
            Show all accounts
          </button>
        </EmptyState>
      )}
    </>
  )
}

/** Every account of the workspace, and what can be done with it. */
export function AccountsPage() {
  const { search } = useLocation()
  const accounts = useAccounts()
  const status = search.get('status')
  const filter = isFilter(status) ? status : 'all'
  const [text, setText] = useState(search.get('q') ?? '')
  const set = (next: { filter: AccountFilter; text: string }) => {
    setText(next.text)
    replaceSearch({ status: next.filter === 'all' ? undefined : next.filter, q: next.text })
  }
  const count = accounts.data?.length
  if (count === 0)
    return (
      <Page title="Accounts">
        <Welcome />
      </Page>
    )
  return (
    <Page
      title="Accounts"
      lead={
        count === undefined
          ? undefined
          : `${formatCount(count)} ${count === 1 ? 'account is' : 'accounts are'} measured.`
      }
      actions={<ConnectButton />}
    >
      <div class="toolbar-row">
        <input
          class="input input-search"
          type="search"
          placeholder="Search by name or handle"
          aria-label="Search by name or handle"
          value={text}
          onInput={(event) => set({ filter, text: event.currentTarget.value })}
        />
        <select
          class="input input-select"
          aria-label="Status"
          value={filter}
          onChange={(event) => {
            const { value } = event.currentTarget
            if (isFilter(value)) set({ filter: value, text })
          }}
        >
          {FILTERS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {accounts.data !== undefined && accounts.error !== undefined && (
        <Banner tone="bad">The list could not be refreshed. {accounts.error.message}</Banner>
      )}
      <section class="panel panel-flush" aria-label="Accounts">
        <List list={accounts} filter={filter} text={text} clear={() => set({ filter: 'all', text: '' })} />
      </section>
    </Page>
  )
}
