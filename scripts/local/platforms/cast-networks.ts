import { OPEN_CAST } from './cast-open.ts'
import type { AccountSpec, PlatformName } from './types.ts'

/** How somebody of the cast appears on another network. */
interface Presence {
  /** Whose randomness and profile it is, by the key that the account has in the open cast. */
  key: string
  platform: PlatformName
  postsPerDay: number
  followers: number
  medianLikes: number
  createdAt: string
  following?: number
}

const PRESENCES: readonly Presence[] = [
  {
    key: 'kestrelobs',
    platform: 'youtube',
    postsPerDay: 0.4,
    followers: 88_400,
    medianLikes: 610,
    createdAt: '2016-04-02T10:00:00.000Z',
  },
  {
    key: 'lanternfish',
    platform: 'youtube',
    postsPerDay: 0.25,
    followers: 31_700,
    medianLikes: 420,
    createdAt: '2019-09-14T16:30:00.000Z',
  },
  {
    key: 'isobardesk',
    platform: 'x',
    postsPerDay: 8,
    followers: 264_000,
    medianLikes: 190,
    createdAt: '2017-02-20T09:15:00.000Z',
  },
  {
    key: 'portwaytransit',
    platform: 'x',
    postsPerDay: 8,
    followers: 71_500,
    medianLikes: 9,
    createdAt: '2012-05-03T06:00:00.000Z',
  },
  {
    key: 'harbourroast',
    platform: 'instagram',
    postsPerDay: 1.3,
    followers: 18_600,
    medianLikes: 410,
    createdAt: '2018-03-09T08:00:00.000Z',
  },
  {
    key: 'everydaymuseum',
    platform: 'instagram',
    postsPerDay: 0.9,
    followers: 142_000,
    medianLikes: 2_300,
    createdAt: '2015-06-11T11:20:00.000Z',
  },
  {
    key: 'everydaymuseum',
    platform: 'threads',
    postsPerDay: 2,
    followers: 38_200,
    medianLikes: 160,
    createdAt: '2023-12-14T12:00:00.000Z',
  },
  {
    key: 'imanivale',
    platform: 'threads',
    postsPerDay: 3,
    followers: 57_900,
    medianLikes: 330,
    createdAt: '2023-07-06T18:40:00.000Z',
  },
  {
    key: 'portwaytransit',
    platform: 'facebook',
    postsPerDay: 2.5,
    followers: 64_300,
    medianLikes: 74,
    createdAt: '2011-10-24T07:30:00.000Z',
  },
  {
    key: 'radiomarea',
    platform: 'facebook',
    postsPerDay: 3,
    followers: 41_800,
    medianLikes: 58,
    createdAt: '2010-02-01T09:00:00.000Z',
  },
  {
    key: 'soranoodles',
    platform: 'tiktok',
    postsPerDay: 0.7,
    followers: 96_100,
    medianLikes: 3_900,
    createdAt: '2021-03-27T03:00:00.000Z',
  },
  {
    key: 'spokeandchain',
    platform: 'tiktok',
    postsPerDay: 0.5,
    followers: 22_400,
    medianLikes: 880,
    createdAt: '2022-01-18T17:00:00.000Z',
  },
  {
    key: 'isobardesk',
    platform: 'linkedin',
    postsPerDay: 1.1,
    followers: 52_700,
    medianLikes: 130,
    createdAt: '2018-01-15T08:00:00.000Z',
  },
  {
    key: 'opentrail',
    platform: 'linkedin',
    postsPerDay: 0.4,
    followers: 6_200,
    medianLikes: 41,
    createdAt: '2020-05-05T08:00:00.000Z',
  },
  {
    key: 'opentrail',
    platform: 'reddit',
    postsPerDay: 0.8,
    followers: 1_900,
    medianLikes: 170,
    createdAt: '2017-11-02T20:00:00.000Z',
  },
  {
    key: 'ferrocast',
    platform: 'reddit',
    postsPerDay: 0.4,
    followers: 640,
    medianLikes: 95,
    createdAt: '2019-01-22T15:00:00.000Z',
  },
]

/** Two accounts on each of the other networks, all of organisations and people of the open cast. */
export const NETWORK_CAST: readonly AccountSpec[] = PRESENCES.map(({ key, ...presence }) => ({
  ...knownAs(key),
  handle: key,
  ...presence,
}))

/** What people on Reddit post in, besides their own pages. */
export const COMMUNITY: AccountSpec = {
  ...knownAs('opentrail'),
  platform: 'reddit',
  key: 'slowprojects',
  handle: 'slowprojects',
  displayName: 'Slow projects',
  description: 'What takes years, and how far it has come.',
  postsPerDay: 0.7,
  followers: 48_300,
  medianLikes: 130,
  createdAt: '2013-05-16T12:00:00.000Z',
  isCommunity: true,
}

function knownAs(key: string): AccountSpec {
  const known = OPEN_CAST.find((spec) => spec.key === key)
  if (!known) throw new Error(`Nobody is called ${key}`)
  return known
}
