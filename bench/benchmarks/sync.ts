import type { StatsSnapshot } from '../../scripts/local/platforms/stats.ts'
import { createWorld } from '../../scripts/local/platforms/world.ts'
import { type KnownPost, refreshNaively } from '../baselines/naive-sync.ts'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { type BenchDatabase, startDatabase } from '../lib/database.ts'
import { makeWorkspace } from '../lib/fill-workspace.ts'
import { countRoundTrips, type RoundTripCounter } from '../lib/round-trips.ts'
import { alternate } from '../lib/rounds.ts'
import { median, ratio } from '../lib/statistics.ts'
import {
  MASTODON_HOST,
  MovableClock,
  type PlatformView,
  SyncEngine,
  startBudget,
  viewPlatforms,
} from '../lib/sync-engine.ts'
import type { Cell, Table } from '../lib/table.ts'

const ROUNDS = { minRounds: 1, maxRounds: 3, budgetMs: 18_000 }
const HISTORY_DAYS = 100
const DAY_MS = 86_400_000
/** Longer than any window of the platforms. */
const BETWEEN_RUNS_MS = 3_600_000
const NAIVE_MS = 10_000

export const syncBenchmark: Benchmark = {
  name: 'sync',
  summary: 'the first sync of the simulated accounts, and reading every post of theirs again',
  run,
}

interface Run {
  /** Posts that were brought up to date. */
  posts: number
  left: number
  seconds: number
  /** That the engine would have waited for a platform's window to end. */
  waitedSeconds: number
  calls: number
  roundTrips: number
  violations: number
  /** Answers 429. */
  refused: number
  /** Of the platforms' limits, at the fullest moment of any window so far. */
  peakShare: number
}

async function run({ resources, log }: BenchmarkContext): Promise<Measurement> {
  const postgres = await startDatabase(resources)
  const database = await postgres.createDatabase('sync')
  const clock = new MovableClock()
  const budget = await startBudget(resources, clock)
  const counter = countRoundTrips(resources)
  const epoch = Math.floor(clock.now() / DAY_MS) * DAY_MS - HISTORY_DAYS * DAY_MS
  const world = createWorld({ seed: 'tidemark', now: clock.now, epoch })
  const [platforms, naivePlatforms] = [viewPlatforms(world), viewPlatforms(world)]
  const engine = new SyncEngine({ db: database.db, platforms, budget, clock })
  const workspaceId = await makeWorkspace(database.ownerSql)

  const accounts = world.accounts()
  for (const { platform, handle } of accounts)
    await engine.connect(
      workspaceId,
      platform,
      platform === 'bluesky' ? handle : `${handle}@${MASTODON_HOST}`,
    )

  log(`first sync of ${accounts.length} accounts`)
  const first = await measure(platforms, counter, engine, async () => {
    await engine.run()
    return { posts: await countPosts(database, workspaceId), left: 0 }
  })
  // From here on posts alone are read.
  await database.ownerSql('UPDATE accounts SET next_sync_at = NULL')
  await database.ownerSql('ANALYZE')

  log(`reading ${first.posts} posts again`)
  const refreshed = await alternate(
    {
      engine: () =>
        measure(platforms, counter, engine, async () => {
          clock.advance(BETWEEN_RUNS_MS)
          const since = new Date(clock.now())
          const due = await makeAllDue(database, workspaceId)
          await engine.run()
          const left = await countUnread(database, workspaceId, since)
          return { posts: due - left, left }
        }),
      baseline: async () => {
        const posts = await knownPosts(database, workspaceId)
        return measure(naivePlatforms, counter, engine, async () => {
          clock.advance(BETWEEN_RUNS_MS)
          const { db } = database
          const { connectors } = engine.deps
          const result = await refreshNaively({
            db,
            workspaceId,
            connectors,
            fetchFor: naivePlatforms.fetchFor,
            clock,
            posts,
            budgetMs: NAIVE_MS,
          })
          return { posts: result.refreshed, left: result.left }
        })
      },
    },
    ROUNDS,
  )
  await verify(database, workspaceId)
  return {
    tables: [
      tableOf([
        rowOf('first sync: profiles and all pages', [first]),
        rowOf('every post again', refreshed.engine),
        rowOf('baseline: a call and an upsert a post', refreshed.baseline),
      ]),
    ],
    notes: notesOf(accounts.length),
  }
}

function notesOf(accounts: number): string[] {
  return [
    `${accounts} simulated accounts and their whole history, with the platforms' limits on; the engine's own budget is in Redis. Platforms answer in this process, at once: over a network each call costs its latency more.`,
    'Round trips: requests to the database of the whole run, claims and bookkeeping among them. Duration is for the posts in its row; reading again: medians of runs in turn. Waited: how far the clock was moved, as the engine put messages off for a budget that was used up.',
    `baseline: gives up after ${NAIVE_MS / 1_000} s, goes on when it is refused, and makes the daily sums anew once at the end. It has limits and counters of its own.`,
    'Violations: what the simulator counts against a client, refusals (429) among them.',
  ]
}

async function measure(
  platforms: PlatformView,
  counter: RoundTripCounter,
  engine: SyncEngine,
  act: () => Promise<{ posts: number; left: number }>,
): Promise<Run> {
  const stats = Object.values(platforms.stats)
  for (const one of stats) one.reset()
  const sentBefore = counter.count()
  const waitedBeforeMs = engine.waitedMs
  const startedMs = performance.now()
  const { posts, left } = await act()
  const seconds = (performance.now() - startedMs) / 1_000
  const roundTrips = counter.count() - sentBefore
  const snapshots = stats.map((one) => one.snapshot())
  assertMeasured(posts > 0, 'no post was read')
  const sum = (of: (snapshot: StatsSnapshot) => number) =>
    snapshots.reduce((total, snapshot) => total + of(snapshot), 0)
  return {
    posts,
    left,
    seconds,
    waitedSeconds: (engine.waitedMs - waitedBeforeMs) / 1_000,
    calls: sum(({ calls }) => calls),
    roundTrips,
    violations: sum(({ violations }) => Object.values(violations).reduce((a, b) => a + b, 0)),
    refused: sum(({ violations }) => violations.rate_limited ?? 0),
    peakShare: Math.max(
      ...snapshots.flatMap(({ peakUsage }) => Object.values(peakUsage).map(({ share }) => share)),
    ),
  }
}

async function countPosts(database: BenchDatabase, workspaceId: string): Promise<number> {
  const [row] = await database.ownerSql<{ posts: number }>(
    'SELECT count(*)::int AS posts FROM posts WHERE workspace_id = $1',
    [workspaceId],
  )
  return row?.posts ?? 0
}

/** Makes every post due that is read again at all (reposts are not). @returns how many */
async function makeAllDue(database: BenchDatabase, workspaceId: string): Promise<number> {
  const rows = await database.ownerSql<{ id: string }>(
    `UPDATE posts SET next_refresh_at = now() - interval '1 second'
     WHERE workspace_id = $1 AND next_refresh_at IS NOT NULL RETURNING id`,
    [workspaceId],
  )
  return rows.length
}

/** Posts that should have been read since then and were not. */
async function countUnread(database: BenchDatabase, workspaceId: string, since: Date): Promise<number> {
  const [row] = await database.ownerSql<{ unread: number }>(
    `SELECT count(*)::int AS unread FROM posts
     WHERE workspace_id = $1 AND next_refresh_at IS NOT NULL AND metrics_at < $2`,
    [workspaceId, since.toISOString()],
  )
  return row?.unread ?? 0
}

async function knownPosts(database: BenchDatabase, workspaceId: string): Promise<KnownPost[]> {
  return database.ownerSql<KnownPost>(
    `SELECT p.account_id AS "accountId", p.platform, a.host, p.platform_post_id AS "platformPostId"
     FROM posts p JOIN accounts a ON a.id = p.account_id
     WHERE p.workspace_id = $1 AND p.next_refresh_at IS NOT NULL`,
    [workspaceId],
  )
}

/** A sync that miscounts would be no sync. */
async function verify(database: BenchDatabase, workspaceId: string): Promise<void> {
  const [sums] = await database.ownerSql<{ likes: string; expected: string }>(
    `SELECT (SELECT sum(likes) FROM account_days WHERE workspace_id = $1) AS likes,
       (SELECT sum(likes) FROM posts WHERE workspace_id = $1 AND kind <> 'repost' AND deleted_at IS NULL) AS expected`,
    [workspaceId],
  )
  assertMeasured(
    sums !== undefined && sums.likes === sums.expected,
    'the rollups do not agree with the posts after it',
  )
}

function rowOf(label: string, runs: Run[]): Cell[] {
  const middle = (of: (run: Run) => number | null) => median(runs.map(of).filter((value) => value !== null))
  return [
    label,
    middle(({ posts }) => posts),
    middle(({ left }) => left),
    middle(({ seconds }) => seconds),
    middle(({ waitedSeconds }) => waitedSeconds),
    middle(({ posts, seconds }) => posts / seconds),
    middle(({ calls }) => calls),
    middle(({ posts, calls }) => ratio(posts, calls)),
    middle(({ posts, roundTrips }) => ratio(roundTrips, posts)),
    middle(({ peakShare }) => 100 * peakShare),
    middle(({ refused }) => refused),
    middle(({ violations }) => violations),
  ]
}

function tableOf(rows: Cell[][]): Table {
  return {
    title: 'Sync: reading the simulated platforms',
    columns: [
      { name: 'case' },
      { name: 'posts', digits: 0 },
      { name: 'left', digits: 0 },
      { name: 'duration', unit: 's', digits: 1 },
      { name: 'waited', unit: 's', digits: 0 },
      { name: 'posts/s', digits: 0 },
      { name: 'calls', digits: 0 },
      { name: 'posts/call', digits: 1 },
      { name: 'trips/post', digits: 3 },
      { name: 'of limit', unit: '%', digits: 0 },
      { name: 'refused', digits: 0 },
      { name: 'violations', digits: 0 },
    ],
    rows,
  }
}
