import type { Account } from '../../../src/http/wire.ts'
import { describeStatus } from '../domain/account-status.ts'
import { formatInstant, formatRelative } from '../format/dates.ts'
import { useNow } from '../state/now.ts'
import { useTimezone } from '../state/session.tsx'

/** How an account stands, in a word. */
export function StatusBadge({ account }: { account: Account }) {
  const words = describeStatus(account)
  return (
    <span class={`status status-${words.tone}`} title={words.explanation ?? undefined}>
      {words.label}
    </span>
  )
}

/** When an account was last read. */
export function Freshness({ account }: { account: Account }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { lastSyncedAt, nextSyncAt } = account.freshness
  if (lastSyncedAt === null)
    return <span class="quiet small">{account.status === 'imported' ? 'from files' : 'not read yet'}</span>
  const next = nextSyncAt === null ? '' : `; next ${formatRelative(nextSyncAt, nowMs)}`
  return (
    <span class="quiet small" title={`Last read ${formatInstant(lastSyncedAt, timezone)}${next}`}>
      read <time dateTime={lastSyncedAt}>{formatRelative(lastSyncedAt, nowMs)}</time>
    </span>
  )
}
