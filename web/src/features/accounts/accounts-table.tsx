import { useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { assignBrand } from '../../api/access.ts'
import { asApiError } from '../../api/http.ts'
import { describeStatus } from '../../domain/account-status.ts'
import { formatCount } from '../../format/numbers.ts'
import { useBrands } from '../../state/brands.tsx'
import { Link } from '../../state/router.tsx'
import { useCanWrite, useMe } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { Avatar, accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { LiveFigure, Unknown } from '../../ui/figures.tsx'
import { Freshness, StatusBadge } from '../../ui/freshness.tsx'
import { ExternalIcon, PauseIcon, PlayIcon, SyncIcon, TrashIcon } from '../../ui/icons.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'
import { CredentialsButton, RenewToken } from './credentials-dialog.tsx'
import { type AccountActions, useAccountActions } from './use-account-actions.ts'

function Count({ account, metric }: { account: Account; metric: 'followers' | 'posts' }) {
  const value = account.metrics[metric]
  if (value === null) return <Unknown words="Not known" />
  return (
    <LiveFigure value={value} of={account.id}>
      {formatCount(value)}
    </LiveFigure>
  )
}

function Actions({
  account,
  actions,
  reload,
}: {
  account: Account
  actions: AccountActions
  reload: () => Promise<void>
}) {
  const name = accountName(account)
  const busy = actions.busy.has(account.id)
  const paused = account.status === 'paused'
  return (
    <div class="row-actions">
      {account.status !== 'imported' && (
        <>
          <button
            type="button"
            class={`icon-button ${actions.syncing.has(account.id) ? 'is-turning' : ''}`}
            title="Sync now"
            aria-label={`Sync ${name} now`}
            disabled={busy || paused || actions.syncing.has(account.id)}
            onClick={() => void actions.sync(account)}
          >
            <SyncIcon size={18} />
          </button>
          <button
            type="button"
            class="icon-button"
            title={paused ? 'Resume' : 'Pause'}
            aria-label={`${paused ? 'Resume' : 'Pause'} ${name}`}
            disabled={busy}
            onClick={() => void actions.setPaused(account, !paused)}
          >
            {paused ? <PlayIcon size={18} /> : <PauseIcon size={18} />}
          </button>
        </>
      )}
      <CredentialsButton account={account} reload={reload} />
      <button
        type="button"
        class="icon-button icon-button-danger"
        title="Remove"
        aria-label={`Remove ${name}`}
        disabled={busy}
        onClick={() => void actions.remove(account)}
      >
        <TrashIcon size={18} />
      </button>
    </div>
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
  const { explanation } = describeStatus(account)
  return (
    <tr>
      <th scope="row">
        <div class="account-cell">
          <Avatar person={account} />
          <div class="account-words">
            <Link class="account-name ellipsis" href={`/posts?accounts=${encodeURIComponent(account.id)}`}>
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
        {explanation !== null && <p class="status-why">{explanation}</p>}
        {canWrite && <RenewToken account={account} reload={reload} />}
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
          <Actions account={account} actions={actions} reload={reload} />
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
