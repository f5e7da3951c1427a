import { useEffect, useRef, useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { syncedAccountId } from '../../domain/live-events.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useLiveEvents, usePoll } from '../../state/live.tsx'
import { Avatar, accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { CheckIcon } from '../../ui/icons.tsx'

/** How often the account is asked for where no event tells that it was read. */
const WITHOUT_EVENTS_MS = 4_000

/** An account that was just connected, and whether its posts are in. */
export function Connected({
  account,
  again,
  onClose,
}: {
  account: Account
  again: () => void
  onClose: () => void
}) {
  const accounts = useAccounts()
  const [reported, setReported] = useState(false)
  const known = accounts.byId.get(account.id) ?? account
  const synced = reported || known.freshness.lastSyncedAt !== null
  usePoll(!synced, accounts.reload, WITHOUT_EVENTS_MS)
  const done = useRef<HTMLButtonElement>(null)
  useEffect(() => done.current?.focus(), [])
  useLiveEvents(['sync.completed'], (event) => {
    if (syncedAccountId(event.data) === account.id) setReported(true)
  })
  const { followers } = account.metrics
  return (
    <div class="connected">
      <div class="connected-account">
        <Avatar person={account} />
        <div>
          <strong>{accountName(account)}</strong>
          <div class="quiet small">{accountSubtitle(account)}</div>
        </div>
        {followers !== null && <span class="connected-followers">{formatCount(followers)} followers</span>}
      </div>
      <p class="connected-state" role="status">
        {synced ? <CheckIcon /> : <span class="spinner" aria-hidden="true" />}
        {synced
          ? 'Its recent posts are in. Older ones follow by themselves.'
          : 'Connected. Its posts are being read and will appear by themselves; you need not wait here.'}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={again}>
          Connect another
        </button>
        <button type="button" class="button button-primary" ref={done} onClick={onClose}>
          Done
        </button>
      </div>
    </div>
  )
}
