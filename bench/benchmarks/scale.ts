import { sql } from 'drizzle-orm'
import { type Db, statement } from '../../src/db/client.ts'
import { listPosts, type PostListQuery } from '../../src/db/queries/posts.ts'
import { namedPeriod } from '../../src/domain/periods.ts'
import { getOverview } from '../../src/services/overview/get-overview.ts'
import { overviewFromPosts, postsByOffset } from '../baselines/raw-overview.ts'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { startDatabase } from '../lib/database.ts'
import { type FilledWorkspace, fillWorkspace, makeWorkspace } from '../lib/fill-workspace.ts'
import { alternate, forEach } from '../lib/rounds.ts'
import { ratio, summarise } from '../lib/statistics.ts'
import { type Cell, formatNumber, type Table } from '../lib/table.ts'

const ACCOUNTS = 20
const DAYS = 90
const TIMEZONE = 'UTC'
/** Another one's days are answered from quarter hours. */
const OTHER_TIMEZONE = 'America/New_York'
const PAGE = 50
const ROUNDS = { minRounds: 5, maxRounds: 60, budgetMs: 18_000 }
const WARM_UP_ROUNDS = 2

export const scaleBenchmark: Benchmark = {
  name: 'scale',
  summary: 'how the cold overview and a page of posts grow with the number of posts',
  run,
}

const CASES = [
  'overview',
  'otherTimezone',
  'rawOverview',
  'firstPage',
  'topPage',
  'likesPage',
  'search',
  'deepPage',
  'offsetPage',
] as const
type Case = (typeof CASES)[number]

const LABELS: Record<Case, string> = {
  overview: 'overview, 28 days',
  otherTimezone: 'overview, days of another timezone',
  rawOverview: 'baseline: overview summed over posts',
  firstPage: `posts, first page of ${PAGE}`,
  topPage: `posts, first page of ${PAGE} by engagements`,
  likesPage: `posts, first page of ${PAGE} by likes`,
  search: 'posts, the one that has a text',
  deepPage: 'posts, page in the middle',
  offsetPage: 'baseline: the same page by OFFSET',
}

interface Sized {
  posts: number
  cases: Record<Case, () => Promise<unknown>>
}

async function run({ resources, log, options }: BenchmarkContext): Promise<Measurement> {
  const postgres = await startDatabase(resources)
  const sizes: Sized[] = []
  for (const posts of options.posts) {
    const startedMs = performance.now()
    // Each in a database of its own: tables and indexes are as large as they would be.
    const database = await postgres.createDatabase(`scale_${posts}`)
    const filling = { accounts: ACCOUNTS, posts, days: DAYS }
    const workspace = await fillWorkspace(database, await makeWorkspace(database.ownerSql), filling)
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    log(`${formatNumber(posts)} posts filled in (${seconds} s)`)
    sizes.push({ posts, cases: await makeCases(database.db, workspace, posts) })
  }
  for (let i = 0; i < WARM_UP_ROUNDS; i += 1)
    for (const { cases } of sizes) for (const name of CASES) await cases[name]()

  const variants = new Map(
    sizes.flatMap(({ posts, cases }) =>
      CASES.map((name) => [`${posts} ${name}`, timed(cases[name])] as const),
    ),
  )
  const names = [...variants.keys()]
  const measured = await alternate(
    forEach(names, (name) => variants.get(name) ?? (async () => 0)),
    ROUNDS,
  )
  const of = (posts: number, name: Case) => measured[`${posts} ${name}`] ?? []
  return { tables: [tableOf(options.posts, of)], notes: NOTES }
}

const NOTES = [
  `The same ${ACCOUNTS} accounts and ${DAYS} days at every size: posts a day grow, rollup rows do not. Each size in a database of its own.`,
  'Cold: no cache tier asked; the services themselves, over HTTP to the local stand-in for Neon. What Postgres has read before, it has in memory.',
  'baseline overview: sums, series and top posts from the posts in SQL, in one round trip, with the same indexes; it answers less.',
]

const NEWEST: PostListQuery = {
  filter: { accounts: [], platforms: [], brands: [] },
  sort: 'postedAt',
  kinds: [],
  hashtags: [],
  search: null,
  from: null,
  until: null,
  after: null,
  limit: PAGE,
}

async function makeCases(
  db: Db,
  workspace: FilledWorkspace,
  posts: number,
): Promise<Record<Case, () => Promise<unknown>>> {
  const ctx = { db, clock: Date, workspace: { id: workspace.id, timezone: TIMEZONE } }
  const { filter } = NEWEST
  const overview = (timezone: string) =>
    getOverview(ctx, {
      period: namedPeriod('28d', timezone, Date.now()),
      compare: 'previous',
      basis: 'published',
      filter,
    })
  const page = async (asked: Partial<PostListQuery>, expected = PAGE + 1) => {
    const [rows] = await db.inWorkspace(workspace.id, [listPosts(workspace.id, { ...NEWEST, ...asked })])
    assertMeasured(rows.length === expected, `a page has ${rows.length} posts`)
  }
  const middle = { offset: Math.floor(posts / 2), limit: PAGE + 1 }
  const after = await positionBefore(db, workspace.id, middle.offset)
  const answer = await overview(TIMEZONE)
  assertMeasured((answer.totals.posts.value ?? 0) > 0, 'the overview is empty')
  return {
    overview: () => overview(TIMEZONE),
    otherTimezone: () => overview(OTHER_TIMEZONE),
    rawOverview: () => overviewFromPosts(db, workspace.id, namedPeriod('28d', TIMEZONE, Date.now())),
    firstPage: () => page({}),
    topPage: () => page({ sort: 'engagements' }),
    likesPage: () => page({ sort: 'likes' }),
    search: () => page({ search: `Post ${middle.offset} on` }, 1),
    deepPage: () => page({ after }),
    offsetPage: () => postsByOffset(db, workspace.id, middle),
  }
}

/** Where a page begins that so many posts come before. */
async function positionBefore(
  db: Db,
  workspaceId: string,
  offset: number,
): Promise<{ value: string; id: string }> {
  const [[position]] = await db.inWorkspace(workspaceId, [
    statement<{ value: string; id: string }>(sql`
      SELECT posted_at::text AS value, id FROM posts WHERE workspace_id = ${workspaceId}
      ORDER BY posted_at DESC, id DESC OFFSET ${offset - 1} LIMIT 1`),
  ])
  assertMeasured(position !== undefined, 'there is no page in the middle')
  return position
}

function timed(act: () => Promise<unknown>): () => Promise<number> {
  return async () => {
    const startedMs = performance.now()
    await act()
    return performance.now() - startedMs
  }
}

function tableOf(sizes: number[], of: (posts: number, name: Case) => number[]): Table {
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)]
  const rows = CASES.map((name): Cell[] => {
    const summaries = new Map(sizes.map((posts) => [posts, summarise(of(posts, name))]))
    return [
      LABELS[name],
      of(first, name).length,
      ...sizes.flatMap((posts) => [summaries.get(posts)?.p50 ?? null, summaries.get(posts)?.p95 ?? null]),
      ratio(summaries.get(last)?.p50 ?? null, summaries.get(first)?.p50 ?? null),
    ]
  })
  return {
    title: `Scale: ${formatNumber(ratio(last, first) ?? 1, 0)} times the posts`,
    columns: [
      { name: 'case' },
      { name: 'times' },
      ...sizes.flatMap((posts) => [
        { name: `${formatNumber(posts)} posts: p50`, unit: 'ms' },
        { name: 'p95', unit: 'ms' },
      ]),
      { name: 'grew', unit: '×', digits: 1 },
    ],
    rows,
  }
}
