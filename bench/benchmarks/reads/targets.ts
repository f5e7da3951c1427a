import { z } from 'zod'
import { assertMeasured } from '../../lib/benchmark.ts'
import { fillWorkspace, makeWorkspace } from '../../lib/fill-workspace.ts'
import type { LoadRequest } from '../../lib/load/protocol.ts'
import type { BenchStack } from '../../lib/stack.ts'
import { startBaselineWorker } from '../../lib/workerd.ts'

/** What is compared: the product's answers from memory, and what they are measured by. */
export const VARIANTS = [
  'static',
  'healthz',
  'hono',
  'overview',
  'cookie',
  'gzip',
  'notModified',
  'trending',
] as const
export type Variant = (typeof VARIANTS)[number]

export const REPLACED = ['replaced', 'replacedTags'] as const
export type Replaced = (typeof REPLACED)[number]

export const LABELS: Record<Variant | Replaced, string> = {
  static: 'baseline: static route',
  healthz: 'baseline: /healthz',
  hono: "baseline: Hono's text('ok')",
  overview: 'overview, by key',
  cookie: 'overview, by session cookie',
  gzip: 'overview, compressed',
  notModified: 'overview, 304',
  trending: 'trending, by key',
  replaced: 'baseline: overview, replaced design',
  replacedTags: 'baseline: hashtags, replaced design',
}

/** What would have answered the same before. */
export const REPLACED_BY: Partial<Record<Variant, Replaced>> = {
  overview: 'replaced',
  cookie: 'replaced',
  gzip: 'replaced',
  notModified: 'replaced',
  trending: 'replacedTags',
}

/** What the replaced design is read over: as many accounts as a loop shows its cost with. */
export const REPLACED_FILLING = { accounts: 100, posts: 100_000, days: 90 }

export type Target = Pick<LoadRequest, 'origin' | 'headers' | 'paths'>

/** Each makes ready what is to be asked next. */
export type Targets = Record<Variant | 'sameOverview', () => Promise<Target>>

export const OVERVIEW = '/api/v1/dashboard/overview'
/** See bench/baselines/static-worker.ts. */
const STATIC = '/api/v1/static'
/** All of them reach back to days that have posts. */
const QUESTIONS = 60
const ACCEPT_GZIP = { 'accept-encoding': 'gzip' }

/** A question, answered as it stands on the wire: `fetch` would ask for it compressed. */
const PLAIN = { 'accept-encoding': 'identity' }

/** Of an answer's headers, those that its route has not set itself. */
const NOT_THE_ROUTES = [
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'ratelimit',
  'ratelimit-policy',
  'server-timing',
  'transfer-encoding',
  'x-request-id',
]

/** As an answer from memory has it, before the middleware adds how long it took. */
const TIMING = { 'server-timing': 'cache;desc="memory"' }

export async function makeTargets(resources: AsyncDisposableStack, stack: BenchStack): Promise<Targets> {
  const origin = stack.url
  const headers = bearer(stack)
  const cookie = { cookie: await signIn(stack) }
  const [fixed, trivial] = await Promise.all([
    startStatic(resources, stack),
    startBaselineWorker(resources, { entry: new URL('../../baselines/trivial-worker.ts', import.meta.url) }),
  ])
  let asked = 0
  /** A question nobody has asked lately, once answered: memory has it for as long as it keeps anything. */
  const prime = async (pathOf: (number: number) => string, given: Record<string, string>) => {
    asked += 1
    const path = pathOf(asked % QUESTIONS)
    const etag = await etagOf(`${origin}${path}`, { ...PLAIN, ...given })
    return { target: { origin, headers: given, paths: [path] }, etag }
  }
  const trending = (number: number) => `/api/v1/trending/hashtags?window=24h&limit=${40 + number}`
  const primed = async (pathOf: (number: number) => string, given: Record<string, string>) =>
    (await prime(pathOf, given)).target
  return {
    static: async () => fixed,
    healthz: async () => ({ origin, headers: {}, paths: ['/healthz'] }),
    hono: async () => ({ origin: trivial.url, headers: {}, paths: ['/'] }),
    overview: () => primed(overviewAgo, headers),
    cookie: () => primed(overviewAgo, cookie),
    gzip: () => primed(overviewAgo, { ...headers, ...ACCEPT_GZIP }),
    notModified: async () => {
      const { target, etag } = await prime(overviewAgo, headers)
      return { ...target, headers: { ...headers, 'if-none-match': etag } }
    },
    trending: () => primed(trending, headers),
    sameOverview: async () => ({ origin, headers, paths: [OVERVIEW] }),
  }
}

/** The replaced design over a workspace of its own, in the same database. */
export async function startReplaced(
  resources: AsyncDisposableStack,
  stack: BenchStack,
): Promise<Record<Replaced, Target>> {
  const workspaceId = await makeWorkspace(stack.ownerSql)
  await fillWorkspace(stack, workspaceId, REPLACED_FILLING)
  const { DATABASE_URL = '', NEON_FETCH_ENDPOINT = '' } = stack.bindings
  const { url } = await startBaselineWorker(resources, {
    entry: new URL('../../baselines/replaced-worker.ts', import.meta.url),
    bindings: { DATABASE_URL, NEON_FETCH_ENDPOINT, WORKSPACE_ID: workspaceId },
  })
  return {
    replaced: { origin: url, headers: {}, paths: ['/overview'] },
    replacedTags: { origin: url, headers: {}, paths: ['/hashtags'] },
  }
}

/** Questions of the same size that are all different: 28 days, and all accounts but two. */
export function distinctQuestions(
  { stack, accountIds }: { stack: BenchStack; accountIds: string[] },
  first: number,
  count: number,
): Target {
  const pairs = accountIds.flatMap((a, i) => accountIds.slice(i + 1).map((b) => [a, b]))
  const paths = Array.from({ length: count }, (_, i) => {
    const number = first + i
    const left = pairs[number % pairs.length] ?? []
    const accounts = accountIds.filter((id) => !left.includes(id))
    return `${overviewAgo(Math.floor(number / pairs.length))}&accounts=${accounts.join(',')}`
  })
  return { origin: stack.url, headers: bearer(stack), paths }
}

export const bearer = (stack: BenchStack) => ({ authorization: `Bearer ${stack.apiKey}` })

/** 28 days that end so many days ago. */
function overviewAgo(daysAgo: number): string {
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)
  return `${OVERVIEW}?from=${day(daysAgo + 27)}&to=${day(daysAgo)}`
}

/** A Worker that answers with what the overview is answered with now, in the same bytes. */
async function startStatic(resources: AsyncDisposableStack, stack: BenchStack): Promise<Target> {
  const read = () => fetch(`${stack.url}${OVERVIEW}`, { headers: { ...bearer(stack), ...PLAIN } })
  await (await read()).arrayBuffer()
  const response = await read()
  const body = await response.text()
  assertMeasured(response.ok, `${OVERVIEW} answers ${response.status}`)
  const headers = [...response.headers].filter(([name]) => !NOT_THE_ROUTES.includes(name))
  const { url } = await startBaselineWorker(resources, {
    entry: new URL('../../baselines/static-worker.ts', import.meta.url),
    bindings: { BODY: body, HEADERS: JSON.stringify({ ...Object.fromEntries(headers), ...TIMING }) },
  })
  const fixed = await fetch(`${url}${STATIC}`, { headers: PLAIN })
  assertMeasured((await fixed.text()) === body, `the static route answers ${fixed.status}`)
  return { origin: url, headers: bearer(stack), paths: [STATIC] }
}

/** @returns the session's cookies, as a browser sends them */
async function signIn({ url, email, password }: BenchStack): Promise<string> {
  const response = await fetch(`${url}/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ email, password }),
  })
  await response.arrayBuffer()
  const cookies = response.headers.getSetCookie().map((cookie) => z.string().parse(cookie.split(';')[0]))
  assertMeasured(response.ok && cookies.length > 0, `signing in is answered with ${response.status}`)
  return cookies.join('; ')
}

async function etagOf(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, { headers })
  await response.arrayBuffer()
  const etag = response.headers.get('etag')
  assertMeasured(response.ok && etag !== null, `${new URL(url).pathname} answers ${response.status}`)
  return etag
}
