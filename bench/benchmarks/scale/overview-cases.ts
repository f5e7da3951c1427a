import { type AccountListQuery, listAccounts } from '../../../src/db/queries/accounts.ts'
import { listSnapshots } from '../../../src/db/queries/posts.ts'
import { namedPeriod, type PeriodName, periodOf, today } from '../../../src/domain/periods.ts'
import { getHashtagCourse } from '../../../src/services/hashtags/get-hashtag-course.ts'
import { getTrendingHashtags } from '../../../src/services/hashtags/get-trending-hashtags.ts'
import { getOverview, type OverviewInput } from '../../../src/services/overview/get-overview.ts'
import { overviewFromPosts } from '../../baselines/raw-overview.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import { FREQUENT_TAG } from '../../lib/fill/posts.ts'
import type { ScaleCase } from './cases.ts'
import { OTHER_TIMEZONE, PAGE, TIMEZONE, type World } from './world.ts'

const EVERYTHING = { accounts: [], platforms: [], brands: [] }

const contextOf = ({ db, clock, workspace }: World) => ({
  db,
  clock,
  workspace: { id: workspace.id, timezone: TIMEZONE },
  actor: { kind: 'system' } as const,
})

/** An overview of a period that ends today. */
function overview(
  label: string,
  name: PeriodName,
  timezone: string,
  asked: (world: World) => Partial<OverviewInput> = () => ({}),
): ScaleCase {
  return {
    label: `overview, ${label}`,
    kind: 'overview',
    async ask(world) {
      const input: OverviewInput = {
        period: namedPeriod(name, timezone, world.clock.now()),
        compare: 'previous',
        basis: 'published',
        filter: EVERYTHING,
        ...asked(world),
      }
      const answer = await getOverview(contextOf(world), input)
      assertMeasured((answer.totals.posts.value ?? 0) > 0, `the overview of ${label} is empty`)
    },
  }
}

function yesterday(world: World) {
  const day = today(TIMEZONE, world.clock.now() - 86_400_000)
  return { period: periodOf(day, day, TIMEZONE) }
}

/** The overview in all its forms. The first is what the dashboard asks for. */
export const OVERVIEW_CASES: readonly ScaleCase[] = [
  overview('28 days', '28d', TIMEZONE),
  overview('28 days, gained', '28d', TIMEZONE, () => ({ basis: 'gained' })),
  overview('28 days of one platform', '28d', TIMEZONE, () => ({
    filter: { ...EVERYTHING, platforms: ['mastodon'] },
  })),
  overview('28 days of one brand', '28d', TIMEZONE, ({ workspace }) => ({
    filter: { ...EVERYTHING, brands: workspace.brandIds.slice(0, 1) },
  })),
  overview('28 days of another timezone', '28d', OTHER_TIMEZONE),
  overview('12 months', '12m', TIMEZONE),
  overview('12 months of another timezone', '12m', OTHER_TIMEZONE),
  overview('one day, by the hour', '7d', TIMEZONE, yesterday),
  {
    label: 'baseline: overview of 28 days, from posts',
    kind: 'baseline',
    ask: ({ db, clock, workspace }) =>
      overviewFromPosts(db, workspace.id, namedPeriod('28d', TIMEZONE, clock.now())),
  },
]

function trending(label: string, window: '24h' | '7d', isStored: boolean): ScaleCase {
  return {
    label: `trending of ${window}, ${label}`,
    kind: 'list',
    async ask(world) {
      const answer = await getTrendingHashtags(
        { ...contextOf(world), reach: null },
        {
          scope: 'workspace',
          window,
          platforms: [],
          // What is worked out ahead is of the whole workspace; of all its brands it is the same.
          brands: isStored ? [] : world.workspace.brandIds,
          sort: 'volume',
          limit: PAGE,
        },
      )
      assertMeasured(answer.items.length > 0, 'nothing is trending')
    },
  }
}

/** What else the dashboard reads. */
export const LIST_CASES: readonly ScaleCase[] = [
  trending('worked out ahead', '24h', true),
  trending('worked out now', '24h', false),
  trending('worked out now', '7d', false),
  {
    label: 'a frequent hashtag, 30 days',
    kind: 'list',
    async ask(world) {
      const { days } = await getHashtagCourse(contextOf(world), FREQUENT_TAG)
      assertMeasured(
        days.some(({ uses }) => uses > 0),
        'the hashtag was not used',
      )
    },
  },
  {
    label: "a post's readings",
    kind: 'list',
    async ask({ db, workspace, readPostId }) {
      const [rows] = await db.inWorkspace(workspace.id, [listSnapshots(workspace.id, readPostId, null, PAGE)])
      assertMeasured(rows.length > 0, 'the post has no readings')
    },
  },
  {
    label: 'accounts by followers, first page',
    kind: 'list',
    async ask({ db, clock, workspace }) {
      const asked: AccountListQuery = {
        filter: EVERYTHING,
        search: null,
        status: null,
        sort: '-followers',
        after: null,
        limit: PAGE,
        nowIso: new Date(clock.now()).toISOString(),
      }
      const [rows] = await db.inWorkspace(workspace.id, [listAccounts(workspace.id, asked)])
      assertMeasured(rows.length > PAGE, 'there are fewer accounts than a page has')
    },
  },
]
