/**
 * Makes one `metrics.updated` of many: what accounts gained is added up, of a post the last counts stay. An event
 * that names nothing says that anything may have changed, and so does whatever it becomes part of.
 */
import * as z from 'zod'
import { once } from '../lib/once.ts'
import type { LiveEvent } from '../ports.ts'

const COALESCED = 'metrics.updated'
/** As many posts as one event tells of. */
const MOST_POSTS = 100

const counts = once(() => z.record(z.string(), z.number().nullable()))
const metricsData = once(() =>
  z.strictObject({
    accounts: z.array(z.strictObject({ id: z.string(), delta: counts() })),
    posts: z.array(z.strictObject({ id: z.string(), metrics: counts() })),
  }),
)
export type MetricsData = z.infer<ReturnType<typeof metricsData>>

/** Changes of metrics that were not told yet, as one, and the generation of the last. */
export const pendingMetrics = once(() => z.object({ generation: z.number(), data: metricsData() }))
export type PendingMetrics = z.infer<ReturnType<typeof pendingMetrics>>

/** What an event tells of metrics, where it may be made one with others; `null`: it may not. */
export function metricsOf({ type, data }: LiveEvent): MetricsData | null {
  return type === COALESCED ? (metricsData().safeParse(data).data ?? null) : null
}

/** The event of such data. */
export function metricsEvent(data: MetricsData): LiveEvent {
  return { type: COALESCED, data }
}

/** One piece of data that tells what two told, the later of which is `next`. */
export function mergeMetrics(previous: MetricsData, next: MetricsData): MetricsData {
  if (namesNothing(previous) || namesNothing(next)) return { accounts: [], posts: [] }
  return { accounts: mergeAccounts(previous, next), posts: mergePosts(previous, next) }
}

const namesNothing = ({ accounts, posts }: MetricsData) => accounts.length === 0 && posts.length === 0

/** An account without any difference is one that changed itself: that is told beside what it gained. */
function mergeAccounts(previous: MetricsData, next: MetricsData): MetricsData['accounts'] {
  const changed = new Set<string>()
  const gained = new Map<string, Record<string, number | null>>()
  for (const { id, delta } of [...previous.accounts, ...next.accounts]) {
    if (Object.keys(delta).length === 0) changed.add(id)
    else gained.set(id, addCounts(gained.get(id) ?? {}, delta))
  }
  return [
    ...Array.from(changed, (id) => ({ id, delta: {} })),
    ...Array.from(gained, ([id, delta]) => ({ id, delta })),
  ]
}

/** The sum of what is known. */
function addCounts(
  sums: Record<string, number | null>,
  counts: Record<string, number | null>,
): Record<string, number | null> {
  const added = { ...sums }
  for (const [name, count] of Object.entries(counts)) {
    const sum = added[name] ?? null
    added[name] = sum === null || count === null ? (sum ?? count) : sum + count
  }
  return added
}

/** The last counts of each; where there are too many, of those that were told last. */
function mergePosts(previous: MetricsData, next: MetricsData): MetricsData['posts'] {
  const posts = new Map<string, MetricsData['posts'][number]>()
  for (const post of [...previous.posts, ...next.posts]) {
    posts.delete(post.id)
    posts.set(post.id, post)
  }
  return [...posts.values()].slice(-MOST_POSTS)
}
