import type { Audience } from './audience.ts'
import { type Composition, compose } from './content/compose.ts'
import { drawCurve, type EngagementCurve } from './engagement.ts'
import { createRandom, hashUnit } from './random.ts'
import type { Item, Schedule } from './schedule.ts'
import type { Account, PostKind } from './types.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** How far back an account looks for something to answer or repost. */
const TARGET_REACH_DAYS = 7
const OWN_THREAD_CHANCE = 0.45
const SKEWED_CLOCK_CHANCE = 0.004

/** What an entry turned out to be. Posts point at other posts, but only at top-level ones, so nothing is circular. */
export type Content =
  | { type: 'repost'; original: Item }
  | {
      type: 'post'
      kind: PostKind
      composition: Composition
      curve: EngagementCurve
      replyTo: Item | undefined
      quoted: Item | undefined
      /** Epoch milliseconds that the author's client declared. */
      declaredAt: number
    }

/** Content of scheduled entries, made when first asked for and kept. */
export interface Contents {
  of(item: Item): Content
  /** Whether the entry is a repost, without composing anything. */
  isRepost(item: Item): boolean
  /** Sets the content of an entry that the control interface added. */
  set(item: Item, content: Content): void
}

export interface ContentsOptions {
  seed: string
  accounts: readonly Account[]
  schedule: Schedule
  audience: Audience
}

/** Decides what each scheduled entry says, whom it answers and how it will be received. */
export function createContents({ seed, accounts, schedule, audience }: ContentsOptions): Contents {
  const known = new WeakMap<Item, Content>()
  const reposts = new WeakMap<Item, Item | false>()
  const peers = new Map<string, readonly Account[]>()

  const peersOf = (account: Account): readonly Account[] => {
    let known = peers.get(account.id)
    if (!known) {
      known = accounts.filter((other) => other.platform === account.platform && other !== account)
      peers.set(account.id, known)
    }
    return known
  }

  /** The newest plain post that `author` had out, at least some minutes before the item. */
  const newestPostBefore = (author: Account, before: number): Item | undefined => {
    const lastDay = schedule.dayOf(author, before)
    for (let day = lastDay; day >= lastDay - TARGET_REACH_DAYS; day -= 1) {
      const candidate = schedule
        .itemsOfDay(author, day)
        .findLast((item) => item.at < before && item.intent === 'post' && !item.salt.startsWith('added-'))
      if (candidate) return candidate
    }
    return undefined
  }

  const target = (item: Item): Item | undefined => {
    const random = createRandom(seed, item.account.id, item.salt, 'target')
    const delayMs = random.logNormal(90, 1) * MINUTE_MS
    const others = peersOf(item.account)
    const isOwn = others.length === 0 || (item.intent === 'reply' && random.chance(OWN_THREAD_CHANCE))
    if (isOwn && item.intent === 'repost') return undefined
    const author = isOwn ? item.account : random.pick(others)
    return newestPostBefore(author, item.at - delayMs)
  }

  /** Nobody can repost the same thing twice. */
  const repostedBefore = (item: Item, original: Item): boolean => {
    const lastDay = schedule.dayOf(item.account, item.at)
    const firstDay = schedule.dayOf(item.account, original.at)
    for (let day = lastDay; day >= firstDay; day -= 1) {
      for (const other of schedule.itemsOfDay(item.account, day)) {
        if (other.intent === 'repost' && other.at < item.at && target(other) === original) return true
      }
    }
    return false
  }

  const repostOf = (item: Item): Item | undefined => {
    if (item.intent !== 'repost') return undefined
    let original = reposts.get(item)
    if (original === undefined) {
      const found = target(item)
      original = found && !repostedBefore(item, found) ? found : false
      reposts.set(item, original)
    }
    return original === false ? undefined : original
  }

  const write = (item: Item): Content => {
    const original = repostOf(item)
    if (original) return { type: 'repost', original }
    const found = item.intent === 'reply' || item.intent === 'quote' ? target(item) : undefined
    const kind: PostKind =
      found && (item.intent === 'reply' || item.intent === 'quote') ? item.intent : 'post'
    const salt = [seed, item.account.id, item.salt]
    const others = peersOf(item.account)
    const composition = compose(
      {
        account: item.account,
        kind,
        trend: item.trend,
        answeredHandle:
          kind === 'reply' && found?.account !== item.account ? found?.account.handle : undefined,
        mentionableHandle:
          others.length > 0 ? createRandom(...salt, 'mention').pick(others).handle : undefined,
      },
      ...salt,
    )
    const curve = drawCurve(
      {
        account: item.account,
        kind,
        media: composition.media,
        isTrending: item.trend !== undefined,
        startAt: item.at,
        followers: audience.followersAt(item.account, item.at),
      },
      ...salt,
    )
    return {
      type: 'post',
      kind,
      composition,
      curve,
      replyTo: kind === 'reply' ? found : undefined,
      quoted: kind === 'quote' ? found : undefined,
      declaredAt: declaredAt(seed, item),
    }
  }

  return {
    of: (item) => {
      let content = known.get(item)
      if (!content) {
        content = write(item)
        known.set(item, content)
      }
      return content
    },
    isRepost: (item) => repostOf(item) !== undefined,
    set: (item, content) => {
      known.set(item, content)
      reposts.set(item, content.type === 'repost' ? content.original : false)
    },
  }
}

/** On Bluesky clients stamp posts shortly before the server sees them; a few have a clock that is hours ahead. */
function declaredAt(seed: string, item: Item): number {
  if (item.account.platform !== 'bluesky') return item.at
  if (hashUnit(seed, item.id, 'skew') < SKEWED_CLOCK_CHANCE) return item.at + DAY_MS / 12
  return item.at - Math.floor(100 + hashUnit(seed, item.id, 'lag') * 900)
}
