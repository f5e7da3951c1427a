/**
 * What a Worker of this kind looks like at first, over the same database, in the same runtime, with the same
 * driver: accounts are fetched, each account's posts are fetched and summed in a loop, hashtags are counted
 * from the posts' texts, and nothing is kept between two requests. It asks nobody for a key, limits nobody, and
 * its answer says less: less work than what it is compared with.
 */
import { neon, neonConfig } from '@neondatabase/serverless'

interface Env {
  DATABASE_URL: string
  NEON_FETCH_ENDPOINT: string
  WORKSPACE_ID: string
}

const METRICS = ['likes', 'comments', 'shares', 'quotes', 'saves'] as const
const PERIOD_DAYS = 28
const TRENDING_HOURS = 24
const TOP = 20
const DAY_MS = 86_400_000

type Sums = Record<(typeof METRICS)[number] | 'posts', number>

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    neonConfig.fetchEndpoint = env.NEON_FETCH_ENDPOINT
    const { pathname } = new URL(request.url)
    if (pathname === '/overview') return Response.json(await overview(env))
    if (pathname === '/hashtags') return Response.json(await hashtags(env))
    return new Response('Not found', { status: 404 })
  },
}

/** Runs one statement as the Worker's own role may: inside a workspace, in one round trip. */
function createClient(env: Env) {
  const client = neon(env.DATABASE_URL)
  return async (strings: TemplateStringsArray, ...values: unknown[]): Promise<Record<string, unknown>[]> => {
    const [, rows] = await client.transaction([
      client`SELECT set_config('app.workspace_id', ${env.WORKSPACE_ID}, true)`,
      client(strings, ...values),
    ])
    return rows ?? []
  }
}

async function overview(env: Env) {
  const sql = createClient(env)
  const fromMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - (PERIOD_DAYS - 1) * DAY_MS
  const before = new Date(fromMs - PERIOD_DAYS * DAY_MS).toISOString()
  const accounts =
    await sql`SELECT id, platform, handle FROM accounts WHERE workspace_id = ${env.WORKSPACE_ID} AND deleted_at IS NULL`
  const totals = { current: emptySums(), previous: emptySums() }
  const series = new Map<string, Sums>()
  const perAccount: { handle: unknown; totals: Sums }[] = []
  for (const account of accounts) {
    const posts = await sql`
      SELECT posted_at, likes, comments, shares, quotes, saves FROM posts
      WHERE account_id = ${account.id} AND posted_at >= ${before} AND deleted_at IS NULL`
    const mine = emptySums()
    for (const post of posts) {
      const postedAt = new Date(String(post.posted_at))
      const isCurrent = postedAt.getTime() >= fromMs
      add(isCurrent ? totals.current : totals.previous, post)
      if (!isCurrent) continue
      add(mine, post)
      const day = postedAt.toISOString().slice(0, 10)
      const ofDay = series.get(day) ?? emptySums()
      series.set(day, ofDay)
      add(ofDay, post)
    }
    perAccount.push({ handle: account.handle, totals: mine })
  }
  return { totals, accounts: perAccount, series: Object.fromEntries(series) }
}

async function hashtags(env: Env) {
  const sql = createClient(env)
  const since = new Date(Date.now() - TRENDING_HOURS * 3_600_000).toISOString()
  const posts =
    await sql`SELECT text FROM posts WHERE workspace_id = ${env.WORKSPACE_ID} AND posted_at >= ${since}`
  const uses = new Map<string, number>()
  for (const { text } of posts)
    for (const [tag] of String(text)
      .toLowerCase()
      .matchAll(/#[\p{L}\p{N}_]+/gu))
      uses.set(tag, (uses.get(tag) ?? 0) + 1)
  return [...uses].sort(([, a], [, b]) => b - a).slice(0, TOP)
}

function emptySums(): Sums {
  return { posts: 0, likes: 0, comments: 0, shares: 0, quotes: 0, saves: 0 }
}

function add(sums: Sums, post: Record<string, unknown>): void {
  sums.posts += 1
  for (const metric of METRICS) sums[metric] += Number(post[metric] ?? 0)
}
