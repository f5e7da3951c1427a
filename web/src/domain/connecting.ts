import {
  PLATFORM_FACTS,
  PLATFORMS,
  type Platform,
  type PlatformFacts,
} from '../../../src/domain/platforms.ts'
import type { Account, Authorization } from '../../../src/http/wire.ts'
import { formatDuration } from '../format/dates.ts'

export interface ConnectWay {
  connects: PlatformFacts['connects']
  /** Whose accounts; `needs` ends the sentence. */
  title: string
  /** What it takes. */
  needs: string
  platforms: readonly Platform[]
}

function way(connects: PlatformFacts['connects'], title: string, needs: string): ConnectWay {
  return {
    ...{ connects, title, needs },
    platforms: PLATFORMS.filter((platform) => PLATFORM_FACTS[platform].connects === connects),
  }
}

/** The ways in which accounts are connected, and the platforms of each. */
export const CONNECT_WAYS: readonly ConnectWay[] = [
  way('anyone', 'Any public account,', 'with nothing else.'),
  way('app_key', 'Any public account,', 'where an operator has set up an app.'),
  way('oauth', 'Accounts that you run:', 'you sign in there and choose.'),
]

/** What a handle looks like, on the platforms where accounts are connected by one. */
export const HANDLE_EXAMPLES: Partial<Record<Platform, string>> = {
  bluesky: 'name.bsky.social',
  mastodon: 'name@mastodon.social',
  youtube: '@name',
  x: '@name',
  reddit: 'u/name or r/name',
}

export function isBySigningIn(platform: Platform): boolean {
  return PLATFORM_FACTS[platform].connects === 'oauth'
}

/** What is worth knowing before an account of a platform is connected, in sentences. */
export function connectNotes(platform: Platform): string[] {
  const { label, connects, minimumIntervalSeconds, paidReads, separate } = PLATFORM_FACTS[platform]
  const notes: string[] = []
  if (connects === 'oauth')
    notes.push(
      `${label} shows figures only to whoever runs an account. You sign in there, agree that they are read, and choose which.`,
    )
  if (minimumIntervalSeconds !== undefined)
    notes.push(`Read every ${formatDuration(minimumIntervalSeconds).replace(/^1 /, '')} at most.`)
  if (paidReads)
    notes.push(`${label} charges for every read. What is read stays within the deployment's daily budget.`)
  if (separate !== undefined) notes.push('Its figures stand apart from the totals, as its terms ask.')
  return notes
}

type Granted = Authorization['accounts'][number]

/**
 * Which of the accounts that were granted are chosen at first: the only one, or those that are connected
 * and wait for somebody to sign in again. The others nobody has asked for yet.
 */
export function firstChoice(
  granted: readonly Granted[],
  accounts: ReadonlyMap<string, Pick<Account, 'status'>>,
): string[] {
  const chosen =
    granted.length === 1
      ? granted
      : granted.filter(
          ({ connectedAccountId }) =>
            connectedAccountId !== null && accounts.get(connectedAccountId)?.status === 'needs_auth',
        )
  return chosen.map(({ externalId }) => externalId)
}
