import { PLATFORM_FACTS } from '../../../src/domain/platforms.ts'
import type { Account } from '../../../src/http/wire.ts'
import { formatCount, plural } from '../format/numbers.ts'

export type Tone = 'good' | 'quiet' | 'warning' | 'bad'

export interface StatusWords {
  label: string
  tone: Tone
  /** Why, in plain words; `null` where there is nothing to explain. */
  explanation: string | null
  /** What to do about it, or what happens by itself; `null` where there is nothing to do. */
  hint: string | null
}

type Status = Account['status']
type Reason = NonNullable<Account['freshness']['reason']>

const BY_ITSELF = 'Nothing to do: it is read again by itself.'

/** Of an account that is not read on time, or not any more. `{platform}` is its platform's name. */
const REASONS: Record<Reason, StatusWords> = {
  rate_limited: {
    label: 'Waiting',
    tone: 'warning',
    explanation: '{platform} allows no more calls for the moment.',
    hint: BY_ITSELF,
  },
  needs_auth: {
    label: 'Needs access',
    tone: 'warning',
    explanation: '{platform} no longer lets us read it.',
    hint: null,
  },
  platform_down: {
    label: 'Platform down',
    tone: 'warning',
    explanation: '{platform} does not answer as it should at the moment.',
    hint: 'Nothing to do: we keep trying.',
  },
  budget_spent: {
    label: 'Waiting',
    tone: 'warning',
    explanation: 'What may be spent on reading {platform} is spent for now.',
    hint: 'It is read again when there is more. Usage, in the settings, says when.',
  },
  paused: {
    label: 'Stopped',
    tone: 'warning',
    explanation: 'An operator of this deployment has stopped reading {platform}.',
    hint: 'Nothing to do here: it is read again once they let it go on.',
  },
  gone: {
    label: 'Gone',
    tone: 'bad',
    explanation: '{platform} says that this account no longer exists.',
    hint: 'Try again if it is back, or remove it.',
  },
  error: {
    label: 'Error',
    tone: 'bad',
    explanation: 'Reading it keeps failing.',
    hint: 'Try again; if that fails, tell an operator.',
  },
  overdue: {
    label: 'Overdue',
    tone: 'warning',
    explanation: 'It should have been read by now.',
    hint: 'Nothing to do: it is next in line. If this lasts, tell an operator.',
  },
}

const ON_TIME: StatusWords = { label: 'Up to date', tone: 'good', explanation: null, hint: null }

const STATUS: Record<Exclude<Status, 'active'>, StatusWords> = {
  paused: {
    label: 'Paused',
    tone: 'quiet',
    explanation: 'Paused: its figures stay as they were.',
    hint: 'Resume it to have it read again.',
  },
  needs_auth: REASONS.needs_auth,
  gone: REASONS.gone,
  error: REASONS.error,
  imported: {
    label: 'Imported',
    tone: 'quiet',
    explanation: 'Filled from files; it is not read from the platform.',
    hint: null,
  },
  deleted: {
    label: 'Removed',
    tone: 'quiet',
    explanation: 'Removed; it can be restored for 30 days.',
    hint: null,
  },
}

function wordsOf({ status, freshness }: Account): StatusWords {
  if (status !== 'active') return STATUS[status]
  if (freshness.stale && freshness.reason !== null) return REASONS[freshness.reason]
  if (freshness.lastSyncedAt === null)
    return {
      label: 'First sync',
      tone: 'quiet',
      explanation: 'Its posts are being read for the first time.',
      hint: null,
    }
  if (freshness.backfilling)
    return {
      ...ON_TIME,
      label: 'Reading history',
      explanation: 'Up to date; older posts are still being read.',
    }
  return ON_TIME
}

/** How whoever may mends an account that its platform does not let us read; the server's sentence says so itself. */
function accessHint({ platform, statusReason }: Account): string | null {
  if (statusReason !== null) return null
  const { label, connects, takesToken } = PLATFORM_FACTS[platform]
  if (connects === 'oauth') return `Sign in at ${label} again, as somebody who runs it.`
  if (takesToken) return 'Give it an access token of a user of its server.'
  return `An operator has to look at this deployment's app at ${label}.`
}

/** How an account stands, in words. The server's own sentence is used where it gives one. */
export function describeStatus(account: Account): StatusWords {
  const words = wordsOf(account)
  const { label } = PLATFORM_FACTS[account.platform]
  return {
    ...words,
    explanation: account.statusReason ?? words.explanation?.replace('{platform}', label) ?? null,
    hint: words === REASONS.needs_auth ? accessHint(account) : words.hint,
  }
}

type Standing = Pick<Account, 'status' | 'freshness'>

/** Whether an account's first reading is under way, or about to begin: nothing has kept it from it so far. */
export function isFirstReading({ status, freshness }: Standing): boolean {
  return status === 'active' && freshness.lastSyncedAt === null && freshness.reason === null
}

/**
 * When an account is to be read next; `null` where it is not, whatever was planned before, and where it is being read
 * for the first time: what is planned then is only for the case that this comes to nothing.
 */
export function nextDue(account: Standing): string | null {
  return account.status === 'active' && !isFirstReading(account) ? account.freshness.nextSyncAt : null
}

const BEHIND_WORDS: Record<Reason, string> = {
  rate_limited: 'held back by the platform',
  needs_auth: 'in need of access',
  platform_down: 'on a failing platform',
  budget_spent: 'waiting for budget',
  paused: 'stopped by an operator',
  gone: 'gone',
  error: 'failing',
  overdue: 'overdue',
}

/**
 * That some of these accounts are behind, and why, as a sentence; `null` where none is. One that somebody
 * has paused, or that is filled from files, is as it should be.
 */
export function behindWords(accounts: readonly Account[]): string | null {
  const read = accounts.filter(({ status }) => !['paused', 'imported', 'deleted'].includes(status))
  const reasons = read.flatMap(({ freshness: { stale, reason } }) =>
    stale && reason !== null ? [reason] : [],
  )
  if (reasons.length === 0) return null
  const counts = Map.groupBy(reasons, (reason) => reason)
  const parts = [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([reason, { length }]) => `${formatCount(length)} ${BEHIND_WORDS[reason]}`)
  const verb = reasons.length === 1 ? 'is' : 'are'
  return `${formatCount(reasons.length)} of ${plural(read.length, 'account')} ${verb} behind: ${parts.join(', ')}.`
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
