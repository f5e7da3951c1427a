/** What the data of live events holds, read with care: a frame that is not understood changes nothing. */

type Fields = Record<string, unknown>

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? { ...value } : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Numbers and nulls of an object; whatever else it holds is left out. */
function countsOf(value: unknown): Record<string, number | null> {
  const counts: Record<string, number | null> = {}
  for (const [name, count] of Object.entries(fieldsOf(value) ?? {}))
    if (typeof count === 'number' || count === null) counts[name] = count
  return counts
}

/** The posts of `metrics.updated`: their new metrics by post id. */
export function changedPosts(data: unknown): Map<string, Record<string, number | null>> {
  const posts = fieldsOf(data)?.posts
  const changed = new Map<string, Record<string, number | null>>()
  for (const entry of Array.isArray(posts) ? posts : []) {
    const fields = fieldsOf(entry)
    const id = textOf(fields?.id)
    if (id !== null) changed.set(id, countsOf(fields?.metrics))
  }
  return changed
}

/**
 * Whether `metrics.updated` says that something changed and not what: of a workspace as a whole, or told to a
 * member who is limited to some brands. It may concern anything on the page.
 */
export function namesNothing(data: unknown): boolean {
  const fields = fieldsOf(data)
  return [fields?.accounts, fields?.posts].every((list) => Array.isArray(list) && list.length === 0)
}

/**
 * Whether `metrics.updated` tells that accounts themselves changed (connected, paused, removed): those come
 * without any difference in counts.
 */
export function accountsChanged(data: unknown): boolean {
  const accounts = fieldsOf(data)?.accounts
  if (namesNothing(data)) return true
  return (
    Array.isArray(accounts) &&
    accounts.some((entry) => Object.keys(fieldsOf(fieldsOf(entry)?.delta) ?? {}).length === 0)
  )
}

/** The account of `sync.completed`. */
export function syncedAccountId(data: unknown): string | null {
  return textOf(fieldsOf(data)?.accountId)
}

/** The job of `job.updated`. */
export function updatedJobId(data: unknown): string | null {
  return textOf(fieldsOf(data)?.id)
}

/** A post with the counts that an event brought; counts it did not bring stay. */
export function withMetrics<M extends Record<string, number | null>, P extends { metrics: M }>(
  post: P,
  counts: Record<string, number | null> | undefined,
): P {
  if (counts === undefined) return post
  const known = Object.fromEntries(
    Object.entries(counts).filter(([name]) => Object.hasOwn(post.metrics, name)),
  )
  return { ...post, metrics: { ...post.metrics, ...known } }
}
