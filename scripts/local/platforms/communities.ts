import { hashUnit } from './random.ts'
import type { Item } from './schedule.ts'
import type { Account, FeedEntry, PlatformName } from './types.ts'

/** How many of the posts stand in a community, where there are any; the others are on their author's own page. */
const SHARE = 0.6

/** The communities of a world, and what of it stands where. */
interface Communities {
  /** The accounts that write. */
  people: readonly Account[]
  /** Where an item stands that is a post; `undefined`: on the page of who wrote it. */
  of(item: Item): Account | undefined
  /**
   * What several people have posted in a community, newest first.
   * @param feedOf the entries of a person for which this holds, in the same order
   */
  entriesOf(
    community: Account,
    feedOf: (person: Account, where: (entry: FeedEntry) => boolean) => readonly FeedEntry[],
  ): FeedEntry[]
}

/** Tells communities from people, and spreads the posts of these over those of their platform. */
export function createCommunities(seed: string, accounts: readonly Account[]): Communities {
  const people = accounts.filter(({ isCommunity }) => !isCommunity)
  const on = new Map<PlatformName, Account[]>()
  for (const account of accounts) {
    if (account.isCommunity) on.set(account.platform, [...(on.get(account.platform) ?? []), account])
  }
  return {
    people,
    of: ({ id, account }) => {
      const known = on.get(account.platform) ?? []
      if (known.length === 0) return undefined
      const place = hashUnit(seed, id, 'community')
      return place < SHARE ? known[Math.floor((place / SHARE) * known.length)] : undefined
    },
    entriesOf: (community, feedOf) =>
      people
        .filter(({ platform }) => platform === community.platform)
        .flatMap((person) =>
          feedOf(person, ({ kind, post }) => kind !== 'repost' && post.community === community),
        )
        .toSorted((a, b) => b.at - a.at),
  }
}
