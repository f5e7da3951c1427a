import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { accountIdOf } from './account-ids.ts'
import { COMMUNITY, NETWORK_CAST } from './cast-networks.ts'
import { OPEN_CAST } from './cast-open.ts'
import { TOPICS, type TopicName } from './content/topics.ts'
import { MAX_ACCOUNTS } from './identity.ts'
import { createRandom } from './random.ts'
import type { Account, AccountSpec, PlatformName } from './types.ts'
import { EVEN_WEEK, OFFICE_WEEK, WEEKEND } from './weeks.ts'

/** How many accounts of each platform a world shall have; none where nothing is said. */
export type AccountCounts = Partial<Record<PlatformName, number>>

/** The cast of a world that was not asked for another: at least two accounts on every platform. */
export const DEFAULT_ACCOUNTS: readonly AccountSpec[] = [...OPEN_CAST, ...NETWORK_CAST, COMMUNITY]

const FIRST_WORDS = [
  'amber',
  'birch',
  'cinder',
  'dapple',
  'ember',
  'fjord',
  'granite',
  'hazel',
  'indigo',
  'juniper',
  'kelp',
  'linen',
]
const SECOND_WORDS = [
  'works',
  'field',
  'post',
  'studio',
  'yard',
  'review',
  'house',
  'lab',
  'market',
  'club',
  'press',
  'collective',
]

/** The default people of each platform first, then invented ones until there are as many as asked for. */
export function accountsByCount(seed: string, counts: AccountCounts): AccountSpec[] {
  return PLATFORMS.flatMap((platform) => {
    const known = [...OPEN_CAST, ...NETWORK_CAST].filter((spec) => spec.platform === platform)
    return Array.from(
      { length: counts[platform] ?? 0 },
      (_, index) => known[index] ?? invent(seed, platform, index),
    )
  })
}

/** The accounts of a world. @throws RangeError where they are too many */
export function makeAccounts(seed: string, wanted: readonly AccountSpec[] | AccountCounts): Account[] {
  const specs = isList(wanted) ? wanted : accountsByCount(seed, wanted)
  if (specs.length > MAX_ACCOUNTS) throw new RangeError(`At most ${MAX_ACCOUNTS} accounts are possible`)
  const counts = new Map<PlatformName, number>()
  return specs.map((spec) => {
    const index = counts.get(spec.platform) ?? 0
    counts.set(spec.platform, index + 1)
    return { ...spec, id: accountIdOf(seed, spec), index }
  })
}

function isList(wanted: readonly AccountSpec[] | AccountCounts): wanted is readonly AccountSpec[] {
  return Array.isArray(wanted)
}

function invent(seed: string, platform: PlatformName, index: number): AccountSpec {
  const random = createRandom(seed, 'persona', platform, index)
  const [first, second] = [random.pick(FIRST_WORDS), random.pick(SECOND_WORDS)]
  const key = `${first}${second}${index}`
  const followers = Math.round(random.logNormal(6_000, 1.4)) + 40
  const morning = random.int(7, 10)
  return {
    key,
    platform,
    handle: handleOf(platform, key, `${first}${index}`),
    displayName: `${capitalise(first)} ${capitalise(second)}`,
    description: `${capitalise(first)} ${second}, number ${index}.`,
    topic: random.pick(Object.keys(TOPICS).filter(isTopicName)),
    postsPerDay: Math.min(8, Math.max(0.3, random.logNormal(2, 0.8))),
    utcOffsetHours: random.int(-8, 10),
    peakHours: [morning, morning + 4, morning + 9],
    weekdayWeights: random.pick([OFFICE_WEEK, EVEN_WEEK, WEEKEND]),
    followers,
    following: random.int(20, 1_500),
    followerGrowthPerDay: random.logNormal(0.001, 0.6),
    medianLikes: Math.max(2, Math.round(followers * 0.004)),
    createdAt: new Date(Date.UTC(2023, random.int(0, 23), random.int(1, 28))).toISOString(),
  }
}

/** @param shortKey where names have fifteen characters at most */
function handleOf(platform: PlatformName, key: string, shortKey: string): string {
  if (platform === 'bluesky') return `${key}.example.social`
  return platform === 'x' ? shortKey : key
}

function isTopicName(name: string): name is TopicName {
  return Object.hasOwn(TOPICS, name)
}

function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
