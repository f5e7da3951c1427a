import { createCredentialVault } from '../../src/adapters/credential-vault.ts'
import { createConnectors } from '../../src/adapters/platforms/index.ts'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import { quietDeps } from '../../test/harness/deps.ts'
import { type KnownAccount, refreshNaively } from '../baselines/naive-sync.ts'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { type BenchDatabase, startDatabase } from '../lib/database.ts'
import { makeWorkspace } from '../lib/fill-workspace.ts'
import { countRoundTrips } from '../lib/round-trips.ts'
import { forEach } from '../lib/rounds.ts'
import { Background } from '../lib/sync/background.ts'
import { POSTS_PER_ACCOUNT } from '../lib/sync/cast.ts'
import { MovableClock } from '../lib/sync/clock.ts'
import { connectAll } from '../lib/sync/connect.ts'
import { SyncEngine } from '../lib/sync/engine.ts'
import { startGate } from '../lib/sync/gate.ts'
import { CONNECTOR_OPTIONS, MASTODON_HOSTS, viewNetworks } from '../lib/sync/networks.ts'
import { StandingWorlds } from '../lib/sync/standing-worlds.ts'
import { compareWithTruth } from '../lib/sync/truth.ts'
import { measurePhase, type Phase } from './sync/phases.ts'
import { areAccountsRead, arePostsRead, makePostsDue, spreadDue, withStatistics } from './sync/schedule.ts'
import { baselineRows, type CheckedPhase, phasesTable, platformsTable, targetsTable } from './sync/tables.ts'

/** A workspace takes no more than 200 accounts. */
const ACCOUNTS_PER_WORKSPACE = 200
/** Longer than any window of the platforms that is shorter than a day, and no token ends in it. */
const BETWEEN_PHASES_MS = 1_200_000
const STEADY_MS = 900_000
/** On the clock; what is not read by then is missing. */
const MOST_PHASE_MS = 1_800_000
const NAIVE_MS = 20_000
const SYNC_INTERVAL_SECONDS = 60
/** Millionths of a dollar a day and workspace: as much as it takes. */
const X_BUDGET_MICROS = 1_000_000_000
const KEY_BYTES = 32

export const syncBenchmark: Benchmark = {
  name: 'sync',
  summary:
    'the first sync of 1,000 simulated accounts on ten platforms, and reading every post of theirs again',
  run,
}

async function run({ options, resources, log }: BenchmarkContext): Promise<Measurement> {
  const perPlatform = Math.ceil(options.accounts / PLATFORMS.length)
  const workspaces = Math.ceil((perPlatform * PLATFORMS.length) / ACCOUNTS_PER_WORKSPACE)
  const postgres = await startDatabase(resources)
  const database = await postgres.createDatabase('sync')
  const clock = new MovableClock()
  const background = new Background()
  const counter = countRoundTrips(resources)
  const worlds = new StandingWorlds({ clock, accountsPerPlatform: perPlatform })
  const networks = viewNetworks(worlds)
  const engine = new SyncEngine({
    deps: {
      ...quietDeps(database.db),
      ...(await startGate(resources, { clock, waitUntil: background.add })),
      objects: { put: unused, getRange: unused, delete: unused },
      connectors: async () => createConnectors(CONNECTOR_OPTIONS),
      fetchFor: networks.fetchFor,
      dailyBudgets: { x: X_BUDGET_MICROS },
      watchList: { mark: async () => {}, list: async () => [] },
      vault: createCredentialVault([Buffer.alloc(KEY_BYTES, 'k').toString('base64')]),
      mailer: null,
      publicUrl: 'http://127.0.0.1',
      syncIntervalSeconds: SYNC_INTERVAL_SECONDS,
    },
    clock,
    background,
  })
  const meters = {
    networks,
    roundTrips: counter.count,
    waitedMs: () => engine.waitedMs,
    retried: () => engine.retried,
    postsSince: (sinceMs: number) => countPosts(database, sinceMs),
    now: clock.now,
  }
  const { ownerSql } = database
  const checked = async (phase: Phase): Promise<CheckedPhase> => ({
    ...phase,
    truth: await compareWithTruth(database, worlds),
  })
  /** Goes on to a time in which nothing is left of any window. */
  const goOn = () => {
    clock.advance(BETWEEN_PHASES_MS)
    worlds.goOnTo(clock.now())
  }

  log(`connecting ${perPlatform * PLATFORMS.length} accounts`)
  const workspaceIds = await Promise.all(Array.from({ length: workspaces }, () => makeWorkspace(ownerSql)))
  await connectAll({ engine, networks, worlds, workspaceIds })

  log('first sync')
  goOn()
  const first = await checked(
    await withStatistics(ownerSql, () =>
      measurePhase('first sync: profiles and all pages', meters, () =>
        engine.run({ isDone: () => areAccountsRead(ownerSql), mostMs: MOST_PHASE_MS }),
      ),
    ),
  )

  log(`reading ${first.posts} posts again`)
  goOn()
  const sinceMs = clock.now()
  await makePostsDue(ownerSql, sinceMs)
  await ownerSql('ANALYZE')
  const refresh = await checked(
    await measurePhase('every post again', meters, () =>
      engine.run({ isDone: () => arePostsRead(ownerSql, sinceMs), mostMs: MOST_PHASE_MS }),
    ),
  )

  log('a quarter of an hour')
  goOn()
  await spreadDue(ownerSql, clock.now())
  const steadyUntilMs = clock.now() + STEADY_MS
  const steady = await checked(
    await measurePhase('a quarter of an hour, when all is known', meters, () =>
      engine.run({
        isDone: async () => clock.now() >= steadyUntilMs,
        mostMs: MOST_PHASE_MS,
        onPlan: () => worlds.goOnTo(clock.now()),
      }),
    ),
  )

  log('the baseline')
  goOn()
  const naive = await measureNaively(database, worlds, engine, meters)
  const phases = [first, refresh, steady]
  return {
    tables: [
      phasesTable(perPlatform * PLATFORMS.length, phases, baselineRows(naive, refresh.posts)),
      platformsTable(first),
      platformsTable(refresh),
      platformsTable(steady),
      targetsTable(first, refresh, phases),
    ],
    notes: notesOf(perPlatform, workspaces),
  }
}

const notesOf = (perPlatform: number, workspaces: number): string[] => [
  `${perPlatform} accounts on each of ten platforms, in workspaces of ${ACCOUNTS_PER_WORKSPACE} (${workspaces}), with about ${POSTS_PER_ACCOUNT} posts each of the last 100 days (on X, whose older posts are not read, of 28); Mastodon on ${MASTODON_HOSTS.length} servers. Platforms keep to their limits, and the engine's gate is in Redis. Credentials are sealed; accounts signed in at the simulated platforms.`,
  `Limits are those that the platforms publish, but for LinkedIn's: a new app's 500 calls a day are for trying it out, so that both sides count to 100,000, as of an app that was approved. X's reads have a budget of $1,000 a day and workspace, which is more than they cost.`,
  `Plans come every ${SYNC_INTERVAL_SECONDS} s. Worked: with something under way. Waited: how far the clock was moved while nothing was, until the next plan or the end of a platform's window. Platforms answer in this process, at once, and use the same processors: over a network each call costs its latency more, and the platforms' work nothing.`,
  'The database takes the planner’s statistics every few seconds during the first sync: by itself it does so once a minute, in which these tables grow here as elsewhere in days.',
  'Missing, wrong, sums off by: every post against what the platform showed at the moment it was read, and the sums of the daily rollups against the same, to the last unit. Trips: requests to the database of the whole run, claims and bookkeeping among them.',
  'Filled: ids in calls that take many, of those that would have fitted. Threads has no such call: its lists are read by the time that posts are of.',
  `The baseline reads account by account, with a call and an upsert a post, for ${NAIVE_MS / 1_000} s; it waits where it is refused. What it would take for all posts is reckoned from that: at least so long, as few windows were used up in it.`,
]

type Meters = Parameters<typeof measurePhase>[1]

/** The baseline, with limits and counters of its own, on as many accounts as time suffices for. */
async function measureNaively(
  database: BenchDatabase,
  worlds: StandingWorlds,
  engine: SyncEngine,
  meters: Meters,
): Promise<Phase> {
  const networks = viewNetworks(worlds)
  const accounts = await knownAccounts(database)
  const { deps } = engine
  let refreshed = 0
  const phase = await measurePhase(
    'baseline: a call and an upsert a post',
    { ...meters, networks },
    async () => {
      const { fetchFor } = networks
      const wait = (ms: number) => engine.wait(ms)
      const result = await refreshNaively({ deps, fetchFor, accounts, wait, budgetMs: NAIVE_MS })
      refreshed = result.refreshed
    },
  )
  assertMeasured(refreshed > 0, 'the baseline has read nothing')
  return { ...phase, posts: refreshed }
}

/** One account of each platform after the other, with what is read again of their posts. */
async function knownAccounts({ ownerSql }: BenchDatabase): Promise<KnownAccount[]> {
  return ownerSql<KnownAccount>(
    `SELECT a.id, a.workspace_id AS "workspaceId", a.platform, a.host, a.external_id AS "externalId", a.handle,
       (SELECT jsonb_agg(jsonb_build_object('id', p.platform_post_id,
          'postedAtMs', floor(extract(epoch FROM p.posted_at) * 1000)))
        FROM posts p WHERE p.account_id = a.id AND p.next_refresh_at IS NOT NULL) AS posts
     FROM accounts a
     ORDER BY row_number() OVER (PARTITION BY a.platform ORDER BY a.id), a.platform LIMIT 200`,
  )
}

async function countPosts({ ownerSql }: BenchDatabase, sinceMs: number): Promise<Record<Platform, number>> {
  const rows = await ownerSql<{ platform: Platform; posts: number }>(
    `SELECT platform, count(*)::int AS posts FROM posts WHERE metrics_at >= $1 GROUP BY platform`,
    [new Date(sinceMs).toISOString()],
  )
  return forEach(PLATFORMS, (platform) => rows.find((row) => row.platform === platform)?.posts ?? 0)
}

async function unused(): Promise<never> {
  throw new Error('The sync engine stores no objects')
}
