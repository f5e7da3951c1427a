import { PLATFORMS } from '../../src/domain/platforms.ts'
import { checkPlans } from '../../test/database/plans/check-plans.ts'
import type { Benchmark, BenchmarkContext, Measurement } from '../lib/benchmark.ts'
import { type BenchDatabase, startDatabase } from '../lib/database.ts'
import { type FilledWorkspace, fillWorkspace, makeWorkspace } from '../lib/fill-workspace.ts'
import { formatNumber } from '../lib/table.ts'
import { measureCases } from './scale/measure.ts'
import { LIST_CASES, OVERVIEW_CASES } from './scale/overview-cases.ts'
import { BASELINE_TIMEOUT_MS, PAGE_CASES, POST_BASELINES, SEARCH_CASES } from './scale/post-cases.ts'
import { tableOf, timeoutNotes, verdicts } from './scale/report.ts'
import { makeWorld, type World } from './scale/world.ts'

const ACCOUNTS = 100
const DAYS = 365
const BRANDS = 5
const READINGS_A_POST = 10
const MOST_READINGS = 10_000_000
/** Plans are checked at the first size that has as many: in small tables Postgres rightly reads everything. */
const PLANS_FROM = 1_000_000

export const scaleBenchmark: Benchmark = {
  name: 'scale',
  summary: 'how the cold overview, pages of posts, search and trending grow with the number of posts',
  run,
}

async function run({ resources, log, options }: BenchmarkContext): Promise<Measurement> {
  const postgres = await startDatabase(resources)
  const worlds: World[] = []
  const failures: string[] = []
  for (const posts of options.posts) {
    // Each in a database of its own: tables and indexes are as large as they would be.
    const database = await postgres.createDatabase(`scale_${posts}`)
    const workspace = await fill(database, posts, log)
    worlds.push(await makeWorld(database, workspace, posts, log))
    if (posts === options.posts.find((size) => size >= PLANS_FROM)) {
      log('checking plans')
      failures.push(...(await planFailures(database, workspace)))
    }
  }
  log('measuring the overview and lists')
  const answers = await measureCases(worlds, [...OVERVIEW_CASES, ...LIST_CASES], log)
  log('measuring pages of posts')
  const pages = await measureCases(worlds, PAGE_CASES, log)
  log('measuring searches and baselines')
  const searches = await measureCases(worlds, [...SEARCH_CASES, ...POST_BASELINES], log)

  const all = new Map([...answers, ...pages, ...searches])
  const postCases = [...PAGE_CASES, ...SEARCH_CASES]
  return {
    tables: [
      tableOf('Overview and lists', [...OVERVIEW_CASES, ...LIST_CASES], options.posts, all),
      tableOf('Posts', [...postCases, ...POST_BASELINES], options.posts, all),
    ],
    notes: [
      ...verdicts([...OVERVIEW_CASES, ...LIST_CASES, ...postCases], options.posts, all),
      ...timeoutNotes(all),
      ...NOTES,
    ],
    failures,
  }
}

const NOTES = [
  `The same ${ACCOUNTS} accounts on ${PLATFORMS.length} platforms and ${DAYS} days at every size: posts a day grow, days do not. Quarter hours fill up, so their rows grow until each has a post. Each size in a database of its own.`,
  'Cold: no cache tier asked; the services and queries themselves, over HTTP to the local stand-in for Neon. What Postgres has read before, the machine has in memory.',
  'Searches take another word of the same frequency each time: rare ones are in 20 posts, middling ones in a thousandth, frequent ones in a tenth of them.',
  `Baselines, with the same indexes: sums, series and top posts from the posts in one round trip; pages by OFFSET; words by ILIKE. They get ${formatNumber(BASELINE_TIMEOUT_MS / 1_000)} s.`,
]

async function fill(
  database: BenchDatabase,
  posts: number,
  log: (line: string) => void,
): Promise<FilledWorkspace> {
  const startedMs = performance.now()
  const name = `${formatNumber(posts)} posts`
  log(`${name}: filling`)
  const workspace = await fillWorkspace(database, await makeWorkspace(database.ownerSql), {
    accounts: ACCOUNTS,
    posts,
    days: DAYS,
    platforms: PLATFORMS,
    brands: BRANDS,
    snapshots: Math.min(READINGS_A_POST * posts, MOST_READINGS),
    log: (line) => log(`${name}: ${line}`),
  })
  const [size] = await database.ownerSql<{ text: string }>(
    'SELECT pg_size_pretty(pg_database_size(current_database())) AS text',
  )
  log(`${name}: ready in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s (${size?.text})`)
  return workspace
}

async function planFailures(database: BenchDatabase, workspace: FilledWorkspace): Promise<string[]> {
  const findings = await checkPlans(database, workspace.id)
  return findings.map(({ statement, rule, detail }) => `${statement}: ${rule}: ${detail}`)
}
