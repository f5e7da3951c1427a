import { useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { assignBrand } from '../../api/access.ts'
import { asApiError } from '../../api/http.ts'
import { lastKnownWords } from '../../domain/last-known.ts'
import { unknownMeasureWords } from '../../domain/unknown-metric.ts'
import { formatCount } from '../../format/numbers.ts'
import { useBrands } from '../../state/brands.tsx'
import { Link } from '../../state/router.tsx'
import { useCanWrite, useMe, useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { Avatar, accountHref, accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { LastKnownMark, LiveFigure, Unknown } from '../../ui/figures.tsx'
import { Explanation, Freshness, StatusBadge } from '../../ui/freshness.tsx'
import { ExternalIcon } from '../../ui/icons.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'
import { AccountActionButtons } from './account-action-buttons.tsx'
import { MendAccess } from './mend-access.tsx'
import { type AccountActions, useAccountActions } from './use-account-actions.ts'

function Count({ account, metric }: { account: Account; metric: 'followers' | 'posts' }) {
  const timezone = useTimezone()
  const value = account.metrics[metric]
  if (value === null) return <Unknown words={unknownMeasureWords(metric, account.platform)} />
  const words = lastKnownWords(account, metric, timezone, account.status === 'imported')
  return (
    <>
      <LiveFigure value={value} of={account.id}>
        {formatCount(value)}
      </LiveFigure>
      {words !== null && <LastKnownMark words={words} />}
    </>
  )
}

/** The brand of an account, and the way to change it for whoever may. */
function BrandCell({
  account,
  canWrite,
  reload,
}: {
  account: Account
  canWrite: boolean
  reload: () => Promise<void>
}) {
  const me = useMe()
  const brands = useBrands()
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  const current = account.brandId === null ? undefined : brands.byId.get(account.brandId)
  if (!canWrite)
    return current === undefined ? <Unknown words="None" /> : <span class="tag">{current.name}</span>
  const assign = async (brandId: string | null) => {
    setBusy(true)
    try {
      await assignBrand(account.id, brandId)
      await Promise.all([reload(), brands.reload()])
    } catch (error) {
      toast({ message: `${accountName(account)}: ${asApiError(error).message}`, tone: 'bad' })
    } finally {
      setBusy(false)
    }
  }
  return (
    <select
      class="input input-select brand-select"
      aria-label={`Brand of ${accountName(account)}`}
      disabled={busy}
      value={account.brandId ?? ''}
      onChange={(event) => void assign(event.currentTarget.value || null)}
    >
      {/* Whoever is limited to brands may move accounts between theirs, and take none out. */}
      {(me.brands === null || account.brandId === null) && <option value="">No brand</option>}
      {(brands.data ?? []).map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  )
}

function Row({
  account,
  actions,
  canWrite,
  withBrands,
  reload,
}: {
  account: Account
  actions: AccountActions
  canWrite: boolean
  withBrands: boolean
  reload: () => Promise<void>
}) {
  return (
    <tr>
      <th scope="row">
        <div class="account-cell">
          <Avatar person={account} />
          <div class="account-words">
            <Link class="account-name ellipsis" href={accountHref(account.id)}>
              {accountName(account)}
            </Link>
            <span class="quiet small ellipsis">
              {accountSubtitle(account)}{' '}
              {account.url && (
                <a class="out-link" href={account.url} target="_blank" rel="noopener noreferrer">
                  <ExternalIcon size={14} />
                  <span class="visually-hidden">
                    Open the profile of {accountName(account)} (in a new tab)
                  </span>
                </a>
              )}
            </span>
          </div>
        </div>
      </th>
      <td class="status-cell">
        <StatusBadge account={account} /> <Freshness account={account} />
        <Explanation account={account} />
        {canWrite && <MendAccess account={account} actions={actions} reload={reload} />}
      </td>
      {withBrands && (
        <td data-label="Brand">
          <BrandCell account={account} canWrite={canWrite} reload={reload} />
        </td>
      )}
      <td class="number" data-label="Followers">
        <Count account={account} metric="followers" />
      </td>
      <td class="number optional" data-label="Posts">
        <Count account={account} metric="posts" />
      </td>
      {canWrite && (
        <td class="actions-cell">
          <AccountActionButtons account={account} actions={actions} reload={reload} />
        </td>
      )}
    </tr>
  )
}

/** Accounts with how they stand and what can be done with them; stacked on a phone. */
export function AccountsTable({
  accounts,
  reload,
}: {
  accounts: readonly Account[]
  reload: () => Promise<void>
}) {
  const canWrite = useCanWrite()
  const actions = useAccountActions(reload)
  const withBrands = (useBrands().data ?? []).length > 0
  return (
    <table class={`table table-stacked accounts-table ${withBrands ? 'with-brands' : ''}`}>
      <TableHead
        columns={[
          'Account',
          'Status',
          withBrands && 'Brand',
          { label: 'Followers', number: true },
          { label: 'Posts', number: true, optional: true },
          canWrite && ACTIONS_COLUMN,
        ]}
      />
      <tbody>
        {accounts.map((account) => (
          <Row
            key={account.id}
            account={account}
            actions={actions}
            canWrite={canWrite}
            withBrands={withBrands}
            reload={reload}
          />
        ))}
      </tbody>
    </table>
  )
}
