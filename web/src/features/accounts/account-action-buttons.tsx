import type { Account } from '../../../../src/http/wire.ts'
import { accountName } from '../../ui/avatar.tsx'
import { PauseIcon, PlayIcon, SyncIcon, TrashIcon } from '../../ui/icons.tsx'
import { CredentialsButton } from './credentials-dialog.tsx'
import type { AccountActions } from './use-account-actions.ts'

/** What can be done with an account, as a row of signs. */
export function AccountActionButtons({
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
      <CredentialsButton account={account} reload={reload} />
      {account.status !== 'imported' && (
        <>
          <button
            type="button"
            class={`icon-button ${actions.syncing.has(account.id) ? 'is-turning' : ''}`}
            title="Sync now"
            aria-label={`Sync ${name} now`}
            disabled={busy || account.status !== 'active' || actions.syncing.has(account.id)}
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
