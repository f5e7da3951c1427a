import { assertMeasured } from '../../lib/benchmark.ts'
import type { LoadRequest } from '../../lib/load/protocol.ts'
import type { BenchStack } from '../../lib/stack.ts'
import { startBaselineWorker } from '../../lib/workerd.ts'

export const VARIANTS = [
  'trivial',
  'overview',
  'notModified',
  'trending',
  'replaced',
  'replacedTags',
] as const
export type Variant = (typeof VARIANTS)[number]

export const LABELS: Record<Variant, string> = {
  trivial: 'baseline: /healthz (trivial route)',
  overview: 'overview from memory',
  notModified: 'overview from memory, 304',
  trending: 'trending from memory',
  replaced: 'baseline: overview, replaced design',
  replacedTags: 'baseline: hashtags, replaced design',
}

/** What would have answered the same before. */
export const REPLACED_BY: Partial<Record<Variant, Variant>> = {
  overview: 'replaced',
  notModified: 'replaced',
  trending: 'replacedTags',
}

export type Target = Pick<LoadRequest, 'origin' | 'headers' | 'paths'>

/** Each makes ready what is to be asked next. */
export type Targets = Record<Variant | 'sameOverview', () => Promise<Target>>

const OVERVIEW = '/api/v1/dashboard/overview'
/** All of them reach back to days that have posts. */
const QUESTIONS = 60

export async function makeTargets(resources: AsyncDisposableStack, stack: BenchStack): Promise<Targets> {
  const { workspaceId, bindings, url: origin } = stack
  const replaced = await startBaselineWorker(resources, {
    entry: new URL('../../baselines/replaced-worker.ts', import.meta.url),
    bindings: {
      DATABASE_URL: bindings.DATABASE_URL ?? '',
      NEON_FETCH_ENDPOINT: bindings.NEON_FETCH_ENDPOINT ?? '',
      WORKSPACE_ID: workspaceId,
    },
  })
  const headers = bearer(stack)
  let asked = 0
  /** A question nobody has asked lately, once answered: memory has it for as long as it keeps anything. */
  const prime = async (pathOf: (number: number) => string) => {
    asked += 1
    const path = pathOf(asked % QUESTIONS)
    const etag = await etagOf(`${origin}${path}`, headers)
    return { target: { origin, headers, paths: [path] }, etag }
  }
  const trending = (number: number) => `/api/v1/trending/hashtags?window=24h&limit=${40 + number}`
  return {
    trivial: async () => ({ origin, headers: {}, paths: ['/healthz'] }),
    overview: async () => (await prime(overviewAgo)).target,
    sameOverview: async () => ({ origin, headers, paths: [OVERVIEW] }),
    notModified: async () => {
      const { target, etag } = await prime(overviewAgo)
      return { ...target, headers: { ...headers, 'if-none-match': etag } }
    },
    trending: async () => (await prime(trending)).target,
    replaced: async () => ({ origin: replaced.url, headers: {}, paths: ['/overview'] }),
    replacedTags: async () => ({ origin: replaced.url, headers: {}, paths: ['/hashtags'] }),
  }
}

/** Questions of the same size that are all different: 28 days, and all accounts but two. */
export function distinctQuestions(
  stack: BenchStack,
  accountIds: string[],
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

const bearer = (stack: BenchStack) => ({ authorization: `Bearer ${stack.apiKey}` })

/** 28 days that end so many days ago. */
function overviewAgo(daysAgo: number): string {
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)
  return `${OVERVIEW}?from=${day(daysAgo + 27)}&to=${day(daysAgo)}`
}

async function etagOf(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, { headers })
  await response.arrayBuffer()
  const etag = response.headers.get('etag')
  assertMeasured(response.ok && etag !== null, `${new URL(url).pathname} answers ${response.status}`)
  return etag
}
