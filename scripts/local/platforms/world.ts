import { createAudience } from './audience.ts'
import { createCommunities } from './communities.ts'
import { titleOf } from './content/title.ts'
import { type Content, createContents } from './contents.ts'
import { metricsOfCurve } from './engagement.ts'
import { type Intervention, InterventionError } from './interventions.ts'
import { createJournal } from './journal.ts'
import { NETWORKS } from './networks.ts'
import { type ActiveFault, createOverlay, type TokensEnded } from './overlay.ts'
import { type AccountCounts, DEFAULT_ACCOUNTS, makeAccounts } from './personas.ts'
import { createPostCounter } from './post-counter.ts'
import { hash32 } from './random.ts'
import { hashtagsOf } from './rich-text.ts'
import { createSchedule, type Item } from './schedule.ts'
import { createTrends, type Trend } from './trends.ts'
import type { Account, AccountSpec, FeedEntry, Metrics, PlatformName, PostView, Profile } from './types.ts'
import { type Applied, createApply, type NewIntervention } from './world-apply.ts'

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
const DEFAULT_EPOCH = Date.UTC(2026, 6, 1)
/** How much history a world has at least. */
export const MIN_HISTORY_DAYS = 100
const PIN_CHANCE = 0.5

export interface WorldOptions {
  /** Names the world: the same seed is the same world, in every process. */
  seed: string
  /** The clock, in epoch milliseconds. */
  now: () => number
  /** Epoch milliseconds at which history begins. Keep it constant: another epoch is another world. */
  epoch?: number
  /** The accounts, or how many of each platform; the default is a cast that is on every platform. */
  accounts?: readonly AccountSpec[] | AccountCounts
  /** Where interventions are kept; without it they are forgotten at the end of the process. */
  stateFile?: string
}

export interface PostsQuery {
  /** The moment at which one looks. */
  t: number
  limit: number
  /** Only entries older than this moment (epoch milliseconds, excluded). */
  before?: number
  /** Only entries newer than this moment (excluded). */
  after?: number
  /** Collect from the oldest; the answer is then oldest first. */
  oldestFirst?: boolean
  /** Also what nobody can read any more: deleted posts, and those of accounts that are not active. */
  includeHidden?: boolean
  /** Only entries for which this holds; the limit counts those. */
  where?: (entry: FeedEntry) => boolean
}

/** The world at a fixed moment. */
export interface WorldView {
  readonly t: number
  account(platform: PlatformName, handleOrId: string): Account | undefined
  profile(account: Account): Profile
  posts(account: Account, query: Omit<PostsQuery, 't'>): FeedEntry[]
  post(platform: PlatformName, id: string): PostView | undefined
}

/** A world of accounts that post and gather engagement: a function of time, and of interventions. */
export interface World {
  readonly seed: string
  readonly epoch: number
  now(): number
  accounts(platform?: PlatformName): readonly Account[]
  /** By id, or by the handle that the account had at `t` (now by default), in any letter case. */
  account(platform: PlatformName, handleOrId: string, t?: number): Account | undefined
  profileAt(account: Account, t: number): Profile
  /** The part of the profile that is shown beside every post. */
  namesAt(account: Account, t: number): Pick<Profile, 'handle' | 'displayName' | 'status'>
  /** Feed entries, newest first, reposts included; nothing of accounts that are not active. */
  posts(account: Account, query: PostsQuery): FeedEntry[]
  /** A post that had appeared at `t` (now by default), deleted ones included: see `deletedAt`. */
  post(platform: PlatformName, id: string, t?: number): PostView | undefined
  /** Like `post`, but also for the ids of reposts; only what can be read at `t`. */
  entry(platform: PlatformName, id: string, t: number): FeedEntry | undefined
  /** Whether somebody who asks at `t` gets to see the post. */
  isReadable(post: PostView, t: number): boolean
  metricsAt(platform: PlatformName, id: string, t: number): Metrics | undefined
  trends(fromMs: number, toMs: number): Trend[]
  faultsOf(platform: PlatformName, path: string, t: number): ActiveFault[]
  /** When the account's tokens were last revoked and made to expire, at `t`. */
  tokensEnded(account: Account, t: number): TokensEnded
  at(t: number): WorldView
  /**
   * Carries out an intervention, at the present unless it says otherwise, and keeps it.
   * @throws InterventionError when it names something that does not exist or cannot be done there.
   */
  apply(intervention: NewIntervention): Applied
  interventions(): readonly Intervention[]
}

/** Builds a world and replays the interventions that were kept. @throws when the account list is too long. */
export function createWorld(options: WorldOptions): World {
  const { seed, now } = options
  const epoch = options.epoch ?? defaultEpoch(now())
  const accounts = makeAccounts(seed, options.accounts ?? DEFAULT_ACCOUNTS)
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const byHandle = new Map(accounts.map((account) => [`${account.platform}:${account.handle}`, account]))
  const trends = createTrends(seed)
  const communities = createCommunities(seed, accounts)
  const { people } = communities
  const schedule = createSchedule({ seed, epoch, accounts: people, trends })
  const audience = createAudience(seed, epoch)
  const contents = createContents({ seed, accounts: people, schedule, audience })
  const overlay = createOverlay()
  const counter = createPostCounter(schedule, (item) => isCounted(item))
  const hashtagsByContent = new WeakMap<Content, { text: string; tags: readonly string[] }>()

  const isCounted = (item: Item): boolean =>
    NETWORKS[item.account.platform].countsReposts || !contents.isRepost(item)
  const isActive = (account: Account, t: number): boolean => overlay.statusOf(account.id, t) === 'active'
  const handleAt = (account: Account, t: number): string => overlay.handleOf(account.id, t) ?? account.handle

  const isThere = (item: Item, t: number): boolean => {
    if (item.at > t || overlay.deletedAt(item, t) !== undefined) return false
    const original = contents.isRepost(item) ? contents.of(item) : undefined
    if (original?.type !== 'repost') return true
    return isThere(original.original, t) && isActive(original.original.account, t)
  }

  const hashtags = (content: Content, text: string, extraTags: readonly string[]): readonly string[] => {
    const known = hashtagsByContent.get(content)
    // An edit changes the text under the same content.
    if (known?.text === text) return known.tags
    const tags = [...new Set([...hashtagsOf(text), ...extraTags])]
    hashtagsByContent.set(content, { text, tags })
    return tags
  }

  const metrics = (item: Item, t: number): Metrics => {
    const content = contents.of(item)
    if (content.type === 'repost') return metrics(content.original, t)
    const seenAt = Math.min(t, overlay.deletedAt(item, t) ?? t)
    return overlay.adjust(item, metricsOfCurve(content.curve, seenAt), seenAt)
  }

  const view = (item: Item, t: number): PostView => {
    const content = contents.of(item)
    if (content.type === 'repost') return view(content.original, t)
    const { composition, declaredAt } = content
    const edit = overlay.editOf(item, t)
    const text = edit?.text ?? composition.text
    const { platform } = item.account
    const { hasTitle } = NETWORKS[platform]
    const tags = hashtags(content, text, composition.extraTags)
    const community = communities.of(item)
    return {
      id: item.id,
      account: item.account,
      kind: content.kind,
      title: hasTitle ? (composition.title ?? titleOf(composition.text)) : undefined,
      text,
      // Threads knows one topic a post; the first that is written is the one.
      hashtags: platform === 'threads' ? tags.slice(0, 1) : community ? [...tags, community.handle] : tags,
      extraTags: composition.extraTags,
      language: composition.language,
      media: composition.media,
      contentWarning: composition.contentWarning,
      isUnlisted: composition.isUnlisted,
      community,
      replyToId: content.replyTo?.id,
      quotedId: content.quoted?.id,
      indexedAt: item.at,
      declaredAt,
      createdAt: Math.min(item.at, declaredAt),
      editedAt: edit?.at,
      deletedAt: overlay.deletedAt(item, t),
      metrics: metrics(item, t),
    }
  }

  const entryOf = (item: Item, t: number): FeedEntry => {
    const post = view(item, t)
    const kind = contents.isRepost(item) ? 'repost' : post.kind
    return { id: item.id, account: item.account, kind, at: item.at, post }
  }

  const posts = (account: Account, query: PostsQuery): FeedEntry[] => {
    const { t, limit, includeHidden = false } = query
    const found: FeedEntry[] = []
    if (limit <= 0 || !(includeHidden || isActive(account, t))) return found
    if (account.isCommunity) {
      const entries = communities.entriesOf(account, (person, isThere) =>
        posts(person, { ...query, where: (entry) => isThere(entry) && (query.where?.(entry) ?? true) }),
      )
      return (query.oldestFirst ? entries.toReversed() : entries).slice(0, limit)
    }
    const until = Math.min(t, (query.before ?? Number.POSITIVE_INFINITY) - 1)
    const from = Math.max(epoch, (query.after ?? Number.NEGATIVE_INFINITY) + 1)
    for (const item of walk(account, from, until, query.oldestFirst ?? false)) {
      if (!includeHidden && !isThere(item, t)) continue
      const entry = entryOf(item, t)
      if (query.where && !query.where(entry)) continue
      found.push(entry)
      if (found.length >= limit) break
    }
    return found
  }

  function* walk(account: Account, from: number, until: number, oldestFirst: boolean): Generator<Item> {
    const [firstDay, lastDay] = [schedule.dayOf(account, from), schedule.dayOf(account, until)]
    for (let step = 0; step <= lastDay - firstDay; step += 1) {
      const items = schedule.itemsOfDay(account, oldestFirst ? firstDay + step : lastDay - step)
      for (const item of oldestFirst ? items : items.toReversed()) {
        if (item.at >= from && item.at <= until) yield item
      }
    }
  }

  const countPosts = (account: Account, t: number): number => {
    if (account.isCommunity) return posts(account, { t, limit: Number.POSITIVE_INFINITY }).length
    if (!overlay.hidesAnything(account.platform)) return counter.count(account, t)
    let count = 0
    for (const item of walk(account, epoch, t, true)) {
      if (isCounted(item) && isThere(item, t)) count += 1
    }
    return count
  }

  const pinnedPost = (account: Account, t: number): string | undefined => {
    if (account.isCommunity || hash32(seed, account.id, 'pin') / 2 ** 32 > PIN_CHANCE) return undefined
    for (const item of walk(account, epoch, Math.min(t, epoch + 30 * DAY_MS), true)) {
      if (item.intent === 'post' && item.trend === undefined && isThere(item, t)) return item.id
    }
    return undefined
  }

  const namesAt: World['namesAt'] = (account, t) => ({
    handle: handleAt(account, t),
    displayName: overlay.displayNameOf(account.id, t) ?? account.displayName,
    status: overlay.statusOf(account.id, t),
  })

  const profileAt = (account: Account, t: number): Profile => ({
    account,
    ...namesAt(account, t),
    movedToId: overlay.movedTo(account.id, t),
    followers: Math.max(0, audience.followersAt(account, t) + overlay.followersGained(account.id, t)),
    following: audience.followingAt(account, t),
    posts: countPosts(account, t),
    lastPostAt: posts(account, { t, limit: 1 })[0]?.at,
    pinnedPostId: pinnedPost(account, t),
  })

  const findAccount = (platform: PlatformName, handleOrId: string, t: number): Account | undefined => {
    const known = byId.get(handleOrId)
    if (known) return known.platform === platform ? known : undefined
    const handle = handleOrId.toLowerCase()
    const usual = byHandle.get(`${platform}:${handle}`)
    if (usual && handleAt(usual, t).toLowerCase() === handle) return usual
    return accounts.find(
      (account) => account.platform === platform && handleAt(account, t).toLowerCase() === handle,
    )
  }

  const findItem = (platform: PlatformName, id: string, t: number): Item | undefined => {
    const item = schedule.find(platform, id)
    return item && item.at <= t ? item : undefined
  }

  const post = (platform: PlatformName, id: string, t: number): PostView | undefined => {
    const item = findItem(platform, id, t)
    return item && !contents.isRepost(item) ? view(item, t) : undefined
  }

  const journal = createJournal(options.stateFile)
  const kept: Intervention[] = []
  const apply = createApply({
    seed,
    epoch,
    byId,
    schedule,
    contents,
    audience,
    overlay,
    counter,
    post,
    handleAt,
  })
  for (const intervention of journal.read()) {
    try {
      kept.push(apply(intervention).intervention)
    } catch (error) {
      // Kept for accounts that this world no longer has.
      if (!(error instanceof InterventionError)) throw error
    }
  }

  return {
    seed,
    epoch,
    now,
    accounts: (platform) =>
      platform ? accounts.filter((account) => account.platform === platform) : accounts,
    account: (platform, handleOrId, t = now()) => findAccount(platform, handleOrId, t),
    profileAt,
    namesAt,
    posts,
    post: (platform, id, t = now()) => post(platform, id, t),
    entry: (platform, id, t) => {
      const item = findItem(platform, id, t)
      return item && isThere(item, t) && isActive(item.account, t) ? entryOf(item, t) : undefined
    },
    isReadable: (view, t) => view.deletedAt === undefined && isActive(view.account, t),
    metricsAt: (platform, id, t) => {
      const item = findItem(platform, id, t)
      return item && !contents.isRepost(item) ? metrics(item, t) : undefined
    },
    trends,
    faultsOf: overlay.faultsOf,
    tokensEnded: ({ platform, id }, t) => overlay.tokensEnded(platform, id, t),
    at: (t) => ({
      t,
      account: (platform, handleOrId) => findAccount(platform, handleOrId, t),
      profile: (account) => profileAt(account, t),
      posts: (account, query) => posts(account, { ...query, t }),
      post: (platform, id) => post(platform, id, t),
    }),
    apply: (intervention) => {
      const applied = apply({ ...intervention, at: intervention.at ?? now() })
      kept.push(applied.intervention)
      journal.append(applied.intervention)
      return applied
    },
    interventions: () => kept,
  }
}

/** The usual epoch, moved back by whole years where the clock stands so early that history would be short. */
function defaultEpoch(nowMs: number): number {
  let epoch = DEFAULT_EPOCH
  while (nowMs - epoch < MIN_HISTORY_DAYS * DAY_MS) epoch -= YEAR_MS
  return epoch
}
