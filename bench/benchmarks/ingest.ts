import type { PostReading } from '../../src/db/queries/ingest/index.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import { newId } from '../../src/lib/ids.ts'
import { ingest } from '../../src/services/ingest/ingest.ts'
import { quietDeps } from '../../test/harness/deps.ts'
import { ingestNaively } from '../baselines/naive-ingest.ts'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { type BenchDatabase, startDatabase } from '../lib/database.ts'
import { COUNTED } from '../lib/fill/rollups.ts'
import { type FilledWorkspace, fillWorkspace, makeWorkspace } from '../lib/fill-workspace.ts'
import { countRoundTrips, type RoundTripCounter } from '../lib/round-trips.ts'
import { alternate } from '../lib/rounds.ts'
import { median, ratio, summarise } from '../lib/statistics.ts'
import type { Cell, Table } from '../lib/table.ts'

const SIZES = [25, 100, 500]
/** Posts that are there before: what the baseline sums anew. */
const POSTS_BEFORE = 10_000
const ACCOUNTS = 20
const DAYS_BEFORE = 90
/** Newest pages of accounts, as a sync brings them. */
const POSTS_PER_ACCOUNT = 50
const SPREAD_OVER_DAYS = 7
const ROUNDS = { minRounds: 2, maxRounds: 40, budgetMs: 10_000 }
/** Batches of the product's in a round: it takes a fraction of the baseline's time. */
const BATCHES_A_ROUND = 4

const KINDS = ['new', 'changed', 'unchanged'] as const
type Kind = (typeof KINDS)[number]

interface Timed {
  ms: number
  roundTrips: number
}
type Round = Record<Kind, Timed>
type Take = (readings: PostReading[], kind: Kind) => Promise<void>

export const ingestBenchmark: Benchmark = {
  name: 'ingest',
  summary: 'taking readings of posts in: new, changed and unchanged, in batches of 25, 100 and 500',
  run,
}

async function run(context: BenchmarkContext): Promise<Measurement> {
  const { resources, log } = context
  const postgres = await startDatabase(resources)
  const database = await postgres.createDatabase('ingest')
  const counter = countRoundTrips(resources)
  log(`Postgres runs; filling two workspaces with ${POSTS_BEFORE} posts each`)
  const product = await fill(database)
  const baseline = await fill(database)

  const rows: Cell[][] = []
  for (const size of SIZES) {
    log(`batches of ${size}`)
    const measured = await alternate(
      {
        product: (round) =>
          measureBatches(product, size, round, BATCHES_A_ROUND, counter, takeIn(database, product)),
        baseline: (round) =>
          measureBatches(baseline, size, round, 1, counter, (readings) =>
            ingestNaively(database.db, baseline.id, readings),
          ),
      },
      ROUNDS,
    )
    for (const kind of KINDS)
      rows.push(
        rowOf(
          size,
          kind,
          measured.product.flat().map((r) => r[kind]),
          measured.baseline.flat().map((r) => r[kind]),
        ),
      )
  }
  await verify(database, product)
  return { tables: [tableOf(rows)], notes: NOTES }
}

const NOTES = [
  `Each workspace held ${POSTS_BEFORE.toLocaleString('en-US')} posts of ${ACCOUNTS} accounts before. One batch at a time: no two wait for the workspace's lock.`,
  'ingest: src/services/ingest, all of it: profiles, posts, snapshots, hashtags, both rollups, top posts, the event, and marking it delivered. Hub and caches stand still.',
  'baseline: an upsert for each post, then the daily sums made anew from all posts; without snapshots, hashtags, gains, quarter hours, top posts or events.',
  'Both over HTTP to the local stand-in for Neon, which shares a process with them; over a network each round trip costs its latency more.',
  'p95 needs 20 batches; where the baseline took too long for so many there is none.',
]

async function fill(database: BenchDatabase): Promise<FilledWorkspace> {
  const workspaceId = await makeWorkspace(database.ownerSql)
  return fillWorkspace(database, workspaceId, { accounts: ACCOUNTS, posts: POSTS_BEFORE, days: DAYS_BEFORE })
}

/** The product's ingest, and whether it did what its caller meant. */
function takeIn(database: BenchDatabase, workspace: FilledWorkspace): Take {
  return async (posts, kind) => {
    const background: Promise<unknown>[] = []
    const deps = {
      ...quietDeps(database.db),
      waitUntil: (work: Promise<unknown>) => void background.push(work),
    }
    const result = await ingest(deps, { workspaceId: workspace.id, posts })
    // A Worker would have answered by now; the database has not finished.
    await Promise.all(background)
    const { inserted, updated, unchanged } = result
    const counted = { new: inserted, changed: updated, unchanged }[kind]
    assertMeasured(counted === posts.length, `of ${posts.length} posts ${counted} were ${kind}`)
  }
}

async function measureBatches(
  workspace: FilledWorkspace,
  size: number,
  round: number,
  batches: number,
  counter: RoundTripCounter,
  take: Take,
): Promise<Round[]> {
  const measured: Round[] = []
  for (let i = 0; i < batches; i += 1)
    measured.push(await measureRound(workspace, size, round * batches + i, counter, take))
  return measured
}

/** The same posts three times: first seen, with other metrics, and with the same. */
async function measureRound(
  workspace: FilledWorkspace,
  size: number,
  round: number,
  counter: RoundTripCounter,
  take: Take,
): Promise<Round> {
  const nowMs = Date.now()
  const seen = makeReadings(workspace, size, round, nowMs)
  const batches: Record<Kind, PostReading[]> = {
    new: seen,
    changed: seen.map((reading, i) => observedAgain(reading, 1, i + 1)),
    unchanged: seen.map((reading, i) => observedAgain(observedAgain(reading, 1, i + 1), 1, 0)),
  }
  const timed: Partial<Round> = {}
  for (const kind of KINDS) {
    const sentBefore = counter.count()
    const startedMs = performance.now()
    await take(batches[kind], kind)
    timed[kind] = { ms: performance.now() - startedMs, roundTrips: counter.count() - sentBefore }
  }
  const { new: fresh, changed, unchanged } = timed
  assertMeasured(
    fresh !== undefined && changed !== undefined && unchanged !== undefined,
    'a kind of batch was left out',
  )
  return { new: fresh, changed, unchanged }
}

function makeReadings(
  { accountIds }: FilledWorkspace,
  size: number,
  round: number,
  nowMs: number,
): PostReading[] {
  const accounts = Math.ceil(size / POSTS_PER_ACCOUNT)
  return Array.from({ length: size }, (_, i) => {
    const tags = [`Tag${(round + i) % 50}`, `Tide${i % 7}`]
    const agoMs = ((i + 0.5) / size) * SPREAD_OVER_DAYS * 86_400_000
    return {
      id: newId(nowMs),
      accountId: accountIds[(round + (i % accounts)) % accountIds.length] ?? '',
      platformPostId: `batch-${size}-${round}-${i}`,
      kind: 'post',
      text: `The tide of round ${round} brings in number ${i}, and takes along what nobody held. #${tags.join(' #')}`,
      url: `https://example.com/posts/${size}/${round}/${i}`,
      postedAt: new Date(nowMs - agoMs).toISOString(),
      media: [],
      hashtags: tags.map((display) => ({ tag: display.toLowerCase(), display })),
      metrics: { ...noMetrics(), likes: 10 + i, comments: i % 5, shares: i % 11, quotes: i % 3 },
      observedAt: new Date(nowMs).toISOString(),
    }
  })
}

function observedAgain(reading: PostReading, laterMs: number, moreLikes: number): PostReading {
  return {
    ...reading,
    observedAt: new Date(Date.parse(reading.observedAt ?? '') + laterMs).toISOString(),
    metrics: { ...reading.metrics, likes: (reading.metrics.likes ?? 0) + moreLikes },
  }
}

/** Rollups against plain SQL over all posts: a fast ingest that miscounts would be no ingest. */
async function verify(database: BenchDatabase, workspace: FilledWorkspace): Promise<void> {
  const [sums] = await database.ownerSql<{ likes: string; expected: string }>(
    `SELECT (SELECT sum(likes) FROM account_days WHERE workspace_id = $1) AS likes,
       (SELECT sum(likes) FROM posts WHERE workspace_id = $1 AND ${COUNTED}) AS expected`,
    [workspace.id],
  )
  assertMeasured(
    sums !== undefined && sums.likes === sums.expected,
    'the rollups do not agree with the posts after it',
  )
}

function rowOf(size: number, kind: Kind, product: Timed[], baseline: Timed[]): Cell[] {
  const [ours, theirs] = [product, baseline].map((timed) => summarise(timed.map(({ ms }) => ms)))
  const roundTripsPerPost = (timed: Timed[]) => ratio(median(timed.map(({ roundTrips }) => roundTrips)), size)
  const postsPerSecond = (p50: number | undefined) => (p50 === undefined ? null : (size / p50) * 1_000)
  return [
    size,
    kind,
    `${product.length}/${baseline.length}`,
    postsPerSecond(ours?.p50),
    postsPerSecond(theirs?.p50),
    ratio(theirs?.p50 ?? null, ours?.p50 ?? null),
    ours?.p50 ?? null,
    ours?.p95 ?? null,
    theirs?.p50 ?? null,
    theirs?.p95 ?? null,
    roundTripsPerPost(product),
    roundTripsPerPost(baseline),
  ]
}

function tableOf(rows: Cell[][]): Table {
  return {
    title: 'Ingest: batches of readings, one after the other',
    columns: [
      { name: 'batch' },
      { name: 'posts' },
      { name: 'batches' },
      { name: 'posts/s', digits: 0 },
      { name: 'baseline', digits: 0 },
      { name: 'faster', unit: '×', digits: 1 },
      { name: 'p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'baseline p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'trips/post', digits: 3 },
      { name: 'baseline', digits: 2 },
    ],
    rows,
  }
}
