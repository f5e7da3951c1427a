import { NETWORKS } from './networks.ts'
import { parsePostId, postIdOf } from './post-ids.ts'
import { createRandom, hash32 } from './random.ts'
import type { Trend, Trends } from './trends.ts'
import type { Account, FeedKind, PlatformName } from './types.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Posts of one account keep this distance, so that feeds are in one order only. */
const MIN_GAP_MS = 45_000
/** Feed entries per top-level post where there are all kinds: replies and reposts come on top. */
const ENTRIES_PER_POST = 1.39
const SHARES: readonly (readonly [FeedKind, number])[] = [
  ['reply', 0.2],
  ['quote', 0.05],
  ['repost', 0.08],
]
const TREND_JOIN_CHANCE = 0.8

/** A feed entry before anything is known of its content. */
export interface Item {
  /** The id that the entry has if it is a post; reposts have ids of their own where the platform gives them some. */
  id: string
  account: Account
  /** Epoch milliseconds, unique within the account. */
  at: number
  /** Names the randomness of everything else about the item. */
  salt: string
  /** What the author set out to do; a reply without anybody to answer becomes a post. */
  intent: FeedKind
  trend: Trend | undefined
}

/** Which entries exist when. Days are generated once, when first asked for. */
export interface Schedule {
  /** Entries of one of the account's own days, oldest first. Do not change the list. */
  itemsOfDay(account: Account, day: number): readonly Item[]
  /** The account's own day that a moment belongs to. */
  dayOf(account: Account, t: number): number
  firstDay(account: Account): number
  /** The entry with an id, whether or not it has appeared yet. */
  find(platform: PlatformName, id: string): Item | undefined
  /**
   * Adds an entry of the control interface at its time, or at the nearest free millisecond before it:
   * not after, so that it can be seen at once also where the clock stands still.
   */
  add(account: Account, at: number, intent: FeedKind): Item
}

export interface ScheduleOptions {
  seed: string
  epoch: number
  accounts: readonly Account[]
  trends: Trends
}

/** Builds the posting schedules of all accounts; a pure function of the options, apart from what is added. */
export function createSchedule({ seed, epoch, accounts, trends }: ScheduleOptions): Schedule {
  const days = new Map<string, Map<number, Item[]>>(accounts.map((account) => [account.id, new Map()]))
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const byIndex = new Map(accounts.map((account) => [`${account.platform}:${account.index}`, account]))
  const sequenceMask = hash32(seed, 'snowflake') & 0xffff
  const dayOf = (account: Account, t: number): number =>
    Math.floor((t + account.utcOffsetHours * HOUR_MS) / DAY_MS)

  const makeItem = (account: Account, at: number, salt: string, intent: FeedKind, trend?: Trend): Item => {
    const id = postIdOf(account.platform, {
      atMs: at,
      sequence: account.index ^ sequenceMask,
      accountId: account.id,
      salt: hash32(seed, account.id, salt),
    })
    return { id, account, at, salt, intent, trend }
  }

  const itemsOfDay = (account: Account, day: number): Item[] => {
    const known = days.get(account.id)
    let items = known?.get(day)
    if (!items) {
      items = drafts(seed, epoch, trends, account, day).map((draft) =>
        makeItem(account, draft.at, draft.salt, draft.intent, draft.trend),
      )
      known?.set(day, items)
    }
    return items
  }

  const accountOf = (platform: PlatformName, id: string): { account: Account; at: number } | undefined => {
    const parts = parsePostId(platform, id)
    if (!parts) return undefined
    const account =
      parts.sequence === undefined
        ? byId.get(parts.accountId ?? '')
        : byIndex.get(`${platform}:${parts.sequence ^ sequenceMask}`)
    return account && { account, at: parts.atMs }
  }

  return {
    itemsOfDay,
    dayOf,
    firstDay: (account) => dayOf(account, epoch),
    find: (platform, id) => {
      const place = accountOf(platform, id)
      if (!place) return undefined
      return itemsOfDay(place.account, dayOf(place.account, place.at)).find((item) => item.id === id)
    },
    add: (account, wantedAt, intent) => {
      let at = Math.floor(wantedAt)
      const taken = (): boolean => itemsOfDay(account, dayOf(account, at)).some((item) => item.at === at)
      while (taken()) at -= 1
      const item = makeItem(account, at, `added-${at}`, intent)
      const items = itemsOfDay(account, dayOf(account, at))
      items.push(item)
      items.sort((a, b) => a.at - b.at)
      return item
    },
  }
}

interface Draft {
  at: number
  salt: string
  intent: FeedKind
  trend: Trend | undefined
}

function drafts(seed: string, epoch: number, trends: Trends, account: Account, day: number): Draft[] {
  const dayStart = day * DAY_MS - account.utcOffsetHours * HOUR_MS
  const dayEnd = dayStart + DAY_MS
  if (dayEnd <= epoch) return []
  const random = createRandom(seed, account.id, 'day', day)
  const weekday = new Date(day * DAY_MS).getUTCDay()
  const weight = account.weekdayWeights[weekday] ?? 1
  const list: Draft[] = []
  const count = random.poisson(account.postsPerDay * entriesPerPost(account.platform) * weight)
  for (let index = 0; index < count; index += 1) {
    const hour = (random.pick(account.peakHours) + random.normal() * 1.3 + 24) % 24
    list.push({
      at: dayStart + Math.floor(hour * HOUR_MS),
      salt: `${day}:${index}`,
      intent: intentOf(account.platform, random.next()),
      trend: undefined,
    })
  }
  for (const trend of trends(dayStart, dayEnd)) {
    for (const draft of joining(seed, account, trend)) {
      if (draft.at >= dayStart && draft.at < dayEnd) list.push(draft)
    }
  }
  list.sort((a, b) => a.at - b.at)
  let earliest = Math.max(epoch, dayStart)
  const spaced: Draft[] = []
  for (const draft of list) {
    // What would have to move into the next day, or lies before the world, does not happen.
    if (draft.at < epoch) continue
    const at = Math.max(draft.at, earliest)
    if (at >= dayEnd - MIN_GAP_MS) break
    spaced.push({ ...draft, at })
    earliest = at + MIN_GAP_MS
  }
  return spaced
}

function intentOf(platform: PlatformName, unit: number): FeedKind {
  let below = 0
  for (const [kind, share] of SHARES) {
    below += share
    if (unit < below) return NETWORKS[platform].kinds.includes(kind) ? kind : 'post'
  }
  return 'post'
}

/** Where a kind does not exist, that much less is posted. */
function entriesPerPost(platform: PlatformName): number {
  const missing = SHARES.filter(([kind]) => !NETWORKS[platform].kinds.includes(kind))
  return missing.reduce((rest, [, share]) => rest - ENTRIES_PER_POST * share, ENTRIES_PER_POST)
}

/** How an account takes part in a trend: not at all, or with a few posts, most of them early. */
function joining(seed: string, account: Account, trend: Trend): Draft[] {
  const random = createRandom(seed, account.id, trend.id)
  // Who hardly ever posts does not run after every trend either.
  const eagerness = Math.min(1, 0.2 + account.postsPerDay / 3)
  if (!random.chance(TREND_JOIN_CHANCE * eagerness)) return []
  const count = Math.min(3, 1 + random.poisson(0.5))
  return Array.from({ length: count }, (_, index) => ({
    at: trend.startAt + Math.floor(random.next() ** 1.6 * (trend.endAt - trend.startAt)),
    salt: `${trend.id}:${index}`,
    intent: 'post' as const,
    trend,
  }))
}
