import { listPosts, type PostListQuery } from '../../../src/db/queries/posts.ts'
import { newestPosts } from '../../../test/harness/post-lists.ts'
import { postsByOffset, searchByPattern } from '../../baselines/raw-overview.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import { FREQUENT_TAG, RARE_TAG } from '../../lib/fill/posts.ts'
import { searchWords } from '../../lib/fill/words.ts'
import type { CaseKind, ScaleCase } from './cases.ts'
import { type ColumnSort, PAGE, SORTS, type World } from './world.ts'

const EVERYTHING = { accounts: [], platforms: [], brands: [] }
const DAY_MS = 86_400_000

const NEWEST = newestPosts(PAGE)

type Asked = (world: World, round: number) => Partial<PostListQuery>

/** Anything from nothing on. */
const ANY = -1

/** A page of posts, which has a post at least, or a given number of them. */
function page(kind: CaseKind, label: string, asked: Asked, expected?: number): ScaleCase {
  return {
    label: `${kind === 'search' ? 'search' : 'posts'}, ${label}`,
    kind,
    async ask(world, round) {
      const { db, workspace } = world
      const query = { ...NEWEST, ...asked(world, round) }
      const [rows] = await db.inWorkspace(workspace.id, [listPosts(workspace.id, query)])
      assertMeasured(
        expected === ANY || (expected === undefined ? rows.length > 0 : rows.length === expected),
        `the page of "${label}" has ${rows.length} posts`,
      )
    },
  }
}

/** Whole days that many days ago. */
function daysAgo({ clock }: World, first: number, last: number) {
  const startMs = Math.floor(clock.now() / DAY_MS) * DAY_MS
  const iso = (days: number) => new Date(startMs - days * DAY_MS).toISOString()
  return { from: iso(first), until: iso(last - 1) }
}

const sorts = Object.keys(SORTS) as ColumnSort[]
/** The first accounts post much, the last ones little. */
const busiest = ({ workspace }: World) => ({ ...EVERYTHING, accounts: workspace.accountIds.slice(0, 1) })
const quietest = ({ workspace }: World) => ({ ...EVERYTHING, accounts: workspace.accountIds.slice(-1) })

export const PAGE_CASES: readonly ScaleCase[] = [
  ...sorts.map((sort) => page('page', `by ${sort}, first page`, () => ({ sort }), PAGE + 1)),
  ...sorts.map((sort) =>
    page('page', `by ${sort}, in the middle`, ({ middle }) => ({ sort, after: middle[sort] }), PAGE + 1),
  ),
  page('page', 'of the busiest account', (world) => ({ filter: busiest(world) })),
  page('page', 'of the busiest account, by likes', (world) => ({ filter: busiest(world), sort: 'likes' })),
  page('page', 'of the quietest account', (world) => ({ filter: quietest(world) })),
  page('page', 'of the quietest account, by likes', (world) => ({ filter: quietest(world), sort: 'likes' })),
  page('page', 'of a platform, by likes', () => ({
    filter: { ...EVERYTHING, platforms: ['bluesky'] },
    sort: 'likes',
  })),
  page('page', 'of a platform, by what it does not tell', () => ({
    filter: { ...EVERYTHING, platforms: ['mastodon'] },
    sort: 'views',
  })),
  page('page', 'of a brand, by engagements', ({ workspace }) => ({
    filter: { ...EVERYTHING, brands: workspace.brandIds.slice(0, 1) },
    sort: 'engagements',
  })),
  page('page', 'of one day, by likes', (world, round) => ({
    ...daysAgo(world, 20 + round, 20 + round),
    sort: 'likes',
  })),
  page('page', 'of one day, by engagementRate', (world, round) => ({
    ...daysAgo(world, 20 + round, 20 + round),
    sort: 'engagementRate',
  })),
  page('page', 'of a month, newest', (world, round) => daysAgo(world, 90 + round, 61 + round)),
  page('page', 'of half a year, by comments', (world) => ({ ...daysAgo(world, 250, 70), sort: 'comments' })),
  page('page', 'of one account in a month, by shares', (world) => ({
    ...daysAgo(world, 90, 61),
    filter: busiest(world),
    sort: 'shares',
  })),
  page('page', 'with a frequent hashtag', () => ({ hashtags: [FREQUENT_TAG] })),
  page('page', 'with a frequent hashtag, by likes', () => ({ hashtags: [FREQUENT_TAG], sort: 'likes' })),
  page('page', 'with a rare hashtag', () => ({ hashtags: [RARE_TAG] }), ANY),
  page('page', 'with a rare hashtag, by likes', () => ({ hashtags: [RARE_TAG], sort: 'likes' }), ANY),
  page('page', 'of a rare kind', () => ({ kinds: ['quote'] })),
  page('page', 'of a rare kind, by likes', () => ({ kinds: ['quote'], sort: 'likes' })),
]

const words = searchWords()
type Frequency = keyof typeof words
/** Another word each round. */
const word = (frequency: Frequency, round: number) =>
  words[frequency][round % words[frequency].length] ?? frequency

const search = (label: string, terms: Frequency[], asked: Asked = () => ({}), expected?: number) =>
  page(
    'search',
    label,
    (world, round) => ({
      // Two of the same frequency are two words.
      search: terms.map((frequency, i) => word(frequency, round + i)).join(' '),
      ...asked(world, round),
    }),
    expected,
  )

/** How long a baseline may take. */
export const BASELINE_TIMEOUT_MS = 10_000

export const SEARCH_CASES: readonly ScaleCase[] = [
  search('a rare word', ['rare']),
  search('a middling word', ['middling'], undefined, ANY),
  search('a frequent word', ['frequent']),
  search('two frequent words', ['frequent', 'frequent']),
  search('a frequent and a rare word', ['frequent', 'rare'], undefined, ANY),
  search('no match', ['unused'], undefined, 0),
  search('a rare word, by relevance', ['rare'], () => ({ sort: 'relevance' })),
  search('a frequent word, by relevance', ['frequent'], () => ({ sort: 'relevance' })),
  search('a frequent word, by likes', ['frequent'], () => ({ sort: 'likes' })),
  search('a middling word, by likes', ['middling'], () => ({ sort: 'likes' }), ANY),
  search('a middling word, by engagementRate', ['middling'], () => ({ sort: 'engagementRate' }), ANY),
  search('a frequent word, busiest account', ['frequent'], (world) => ({ filter: busiest(world) })),
  search('a frequent word, in the middle', ['frequent'], ({ middle }) => ({ after: middle.postedAt })),
]

export const POST_BASELINES: readonly ScaleCase[] = [
  {
    label: 'baseline: newest in the middle, by OFFSET',
    kind: 'baseline',
    ask: ({ db, workspace, posts }) =>
      postsByOffset(db, workspace.id, {
        offset: Math.floor(posts / 2),
        limit: PAGE + 1,
        timeoutMs: BASELINE_TIMEOUT_MS,
      }),
  },
  ...(['rare', 'frequent'] as const).map(
    (frequency): ScaleCase => ({
      label: `baseline: a ${frequency} word, by ILIKE`,
      kind: 'baseline',
      ask: ({ db, workspace }, round) =>
        searchByPattern(db, workspace.id, {
          word: word(frequency, round),
          limit: PAGE + 1,
          timeoutMs: BASELINE_TIMEOUT_MS,
        }),
    }),
  ),
]
