import { useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { type AccountFilter, matchesFilter, matchesText } from '../../domain/account-status.ts'
import { formatCount, plural } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useBrands } from '../../state/brands.tsx'
import type { Resource } from '../../state/resource.ts'
import { replaceSearch, useLocation } from '../../state/router.tsx'
import { useMe } from '../../state/session.tsx'
import { AccountsIcon } from '../../ui/icons.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { Welcome } from '../overview/welcome.tsx'
import { BrandTags } from '../team/brand-tags.tsx'
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

/** What of the list is asked for. `brand`: an id, `none`, or empty for all of them. */
interface Asked {
  filter: AccountFilter
  text: string
  brand: string
}

const WITHOUT_BRAND = 'none'

function matchesBrand(account: Account, brand: string): boolean {
  return brand === '' || (account.brandId ?? WITHOUT_BRAND) === brand
}

function BrandSelect({ brand, choose }: { brand: string; choose: (brand: string) => void }) {
  const brands = useBrands().data ?? []
  const me = useMe()
  if (brands.length === 0 && brand === '') return null
  return (
    <select
      class="input input-select"
      aria-label="Brand"
      value={brand}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      <option value="">All brands</option>
      {brands.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
      {me.brands === null && <option value={WITHOUT_BRAND}>Without a brand</option>}
    </select>
  )
}

/** Says to whom it concerns that there are accounts that they do not see. */
function LimitedNotice() {
  const { brands } = useMe()
  if (brands === null) return null
  return (
    <Banner tone="info">
      {brands.length === 0 ? (
        'You are limited to brands, and none has been given to you: no account is shown.'
      ) : (
        <>
          You see the accounts of these brands: <BrandTags brands={brands} />
        </>
      )}
    </Banner>
  )
}

function List({ list, asked, clear }: { list: Resource<Account[]>; asked: Asked; clear: () => void }) {
  if (list.data === undefined)
    return list.error === undefined ? (
      <SkeletonRows count={6} class="skeleton-account" />
    ) : (
      <ErrorState error={list.error} retry={() => void list.reload()} />
    )
  const shown = list.data.filter(
    (account) =>
      matchesFilter(account, asked.filter) &&
      matchesText(account, asked.text) &&
      matchesBrand(account, asked.brand),
  )
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
  const asked: Asked = { filter, text, brand: search.get('brand') ?? '' }
  const set = (part: Partial<Asked>) => {
    const next = { ...asked, ...part }
    setText(next.text)
    replaceSearch({
      status: next.filter === 'all' ? undefined : next.filter,
      brand: next.brand,
      q: next.text,
    })
  }
  const count = accounts.data?.length
  if (count === 0)
    return (
      <Page title="Accounts">
        <LimitedNotice />
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
          onInput={(event) => set({ text: event.currentTarget.value })}
        />
        <select
          class="input input-select"
          aria-label="Status"
          value={filter}
          onChange={(event) => {
            const { value } = event.currentTarget
            if (isFilter(value)) set({ filter: value })
          }}
        >
          {FILTERS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <BrandSelect brand={asked.brand} choose={(brand) => set({ brand })} />
      </div>
      <LimitedNotice />
      {accounts.data !== undefined && accounts.error !== undefined && (
        <Banner tone="bad">The list could not be refreshed. {accounts.error.message}</Banner>
      )}
      <section class="panel panel-flush" aria-label="Accounts">
        <List list={accounts} asked={asked} clear={() => set({ filter: 'all', text: '', brand: '' })} />
      </section>
    </Page>
  )
}
