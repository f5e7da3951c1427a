import type { Account } from '../../../src/http/wire.ts'
import { describeStatus, nextDue } from '../domain/account-status.ts'
import { dueWords, formatInstant, formatRelative } from '../format/dates.ts'
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

/** When an account was last read, and when it is next. */
export function Freshness({ account }: { account: Account }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { lastSyncedAt } = account.freshness
  const nextSyncAt = nextDue(account)
  const read =
    lastSyncedAt === null ? (
      account.status === 'imported' ? (
        'from files'
      ) : (
        'not read yet'
      )
    ) : (
      <>
        read{' '}
        <time dateTime={lastSyncedAt} title={`Last read ${formatInstant(lastSyncedAt, timezone)}`}>
          {formatRelative(lastSyncedAt, nowMs)}
        </time>
      </>
    )
  return (
    <span class="quiet small">
      {read}
      {nextSyncAt !== null && (
        <>
          , {dueWords(nextSyncAt, nowMs) === 'now' ? 'due' : 'next'}{' '}
          <time dateTime={nextSyncAt} title={`Next due ${formatInstant(nextSyncAt, timezone)}`}>
            {dueWords(nextSyncAt, nowMs)}
          </time>
        </>
      )}
    </span>
  )
}

/** Why an account is not as it should be, and what to do about it; nothing where it is. */
export function Explanation({ account }: { account: Account }) {
  const { explanation, hint } = describeStatus(account)
  if (explanation === null) return null
  return (
    <p class="status-why">
      {explanation}
      {hint !== null && <> {hint}</>}
    </p>
  )
}
