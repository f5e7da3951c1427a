import type { Account } from '../../../src/http/wire.ts'

export type Tone = 'good' | 'quiet' | 'warning' | 'bad'

export interface StatusWords {
  label: string
  tone: Tone
  /** Why, and what happens next, in plain words; `null` where there is nothing to explain. */
  explanation: string | null
}

type Status = Account['status']
type Reason = NonNullable<Account['freshness']['reason']>

const STATUS: Record<Status, StatusWords> = {
  active: { label: 'Up to date', tone: 'good', explanation: null },
  paused: { label: 'Paused', tone: 'quiet', explanation: 'Paused: its figures stay as they were.' },
  needs_auth: {
    label: 'Needs access',
    tone: 'warning',
    explanation: 'The platform no longer lets us read it.',
  },
  gone: { label: 'Gone', tone: 'bad', explanation: 'The platform says that this account no longer exists.' },
  error: { label: 'Error', tone: 'bad', explanation: 'Reading it keeps failing.' },
  imported: {
    label: 'Imported',
    tone: 'quiet',
    explanation: 'Filled from files; it is not read from the platform.',
  },
  deleted: { label: 'Removed', tone: 'quiet', explanation: 'Removed; it can be restored for 30 days.' },
}

const REASONS: Record<Reason, StatusWords> = {
  rate_limited: {
    label: 'Waiting',
    tone: 'warning',
    explanation: 'The platform asks us to slow down. It will be read again shortly.',
  },
  needs_auth: STATUS.needs_auth,
  platform_down: {
    label: 'Platform down',
    tone: 'warning',
    explanation: 'The platform cannot be reached at the moment. We keep trying.',
  },
  budget_spent: {
    label: 'Waiting',
    tone: 'warning',
    explanation: 'The allowance for this platform is used up for now. It will be read when it renews.',
  },
  paused: STATUS.paused,
  gone: STATUS.gone,
  error: STATUS.error,
  overdue: {
    label: 'Overdue',
    tone: 'warning',
    explanation: 'It should have been read by now, and will be as soon as possible.',
  },
}

/** How an account stands, in words. The server's own sentence is used where it gives one. */
export function describeStatus(account: Account): StatusWords {
  const { status, freshness } = account
  let words = STATUS[status]
  if (status === 'active') {
    if (freshness.stale && freshness.reason !== null) words = REASONS[freshness.reason]
    else if (freshness.lastSyncedAt === null)
      words = {
        label: 'First sync',
        tone: 'quiet',
        explanation: 'Its posts are being read for the first time.',
      }
    else if (freshness.backfilling)
      words = {
        label: 'Reading history',
        tone: 'good',
        explanation: 'Up to date; older posts are still being read.',
      }
  }
  return account.statusReason === null ? words : { ...words, explanation: account.statusReason }
}

export type AccountFilter = 'all' | 'active' | 'attention' | 'paused' | 'imported'

/** Whether an account belongs under a filter of the accounts page. */
export function matchesFilter(account: Account, filter: AccountFilter): boolean {
  switch (filter) {
    case 'all':
      return account.status !== 'deleted'
    case 'attention': {
      const { tone } = describeStatus(account)
      return account.status !== 'deleted' && (tone === 'warning' || tone === 'bad')
    }
    default:
      return account.status === filter
  }
}

/** Whether an account's name or handle contains the text, whatever its case. */
export function matchesText(account: Pick<Account, 'handle' | 'displayName'>, text: string): boolean {
  const needle = text.trim().replace(/^@/, '').toLowerCase()
  return `${account.displayName ?? ''}\n${account.handle}`.toLowerCase().includes(needle)
}
