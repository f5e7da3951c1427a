import { ApiError } from './api-error.ts'

/** What filters look at; messages, dead letters and log entries all have it. */
export interface Filterable {
  messageId: string
  url: string
  callerIp: string
  labels: string[]
  /** Milliseconds since 1970. */
  atMs: number
  topicName?: string | undefined
  queueName?: string | undefined
  scheduleId?: string | undefined
  flowControlKey?: string | undefined
  responseStatus?: number | undefined
  state?: string | undefined
}

const MAX_PAGE = 100

type Accessor = (item: Filterable) => readonly string[]

const one = (value: string | number | undefined): string[] => (value === undefined ? [] : [String(value)])

const FIELDS: Readonly<Record<string, Accessor>> = {
  messageId: (item) => [item.messageId],
  messageIds: (item) => [item.messageId],
  url: (item) => [item.url],
  host: (item) => [new URL(item.url).host],
  path: (item) => [new URL(item.url).pathname],
  topicName: (item) => one(item.topicName),
  queueName: (item) => one(item.queueName),
  scheduleId: (item) => one(item.scheduleId),
  label: (item) => item.labels,
  flowControlKey: (item) => one(item.flowControlKey),
  callerIp: (item) => [item.callerIp],
  callerIP: (item) => [item.callerIp],
  responseStatus: (item) => one(item.responseStatus),
  state: (item) => one(item.state),
}

/**
 * Reads the filters of a query: values of one filter are alternatives, filters are combined.
 * @throws ApiError 400 for a date that is none.
 */
export function parseFilter(query: URLSearchParams): (item: Filterable) => boolean {
  const conditions: ((item: Filterable) => boolean)[] = []
  for (const [name, values] of Object.entries(FIELDS)) {
    const wanted = new Set(multiValue(query, name))
    if (wanted.size > 0) conditions.push((item) => values(item).some((value) => wanted.has(value)))
  }
  const fromMs = readInteger(query, 'fromDate')
  if (fromMs !== undefined) conditions.push((item) => item.atMs >= fromMs)
  const toMs = readInteger(query, 'toDate')
  if (toMs !== undefined) conditions.push((item) => item.atMs <= toMs)
  return (item) => conditions.every((condition) => condition(item))
}

/** Values may be repeated or parted by commas; one that has a comma itself counts whole, too. */
export function multiValue(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).flatMap((value) => [value, ...(value.includes(',') ? value.split(',') : [])])
}

export interface Page<T> {
  items: T[]
  /** For the next page; absent on the last. */
  cursor?: string
}

/**
 * Cuts a page out of items that come with falling `seq`.
 * @param source gives the items from before a `seq`
 * @throws ApiError 400 for a count or cursor that is none.
 */
export function paginate<T>(
  query: URLSearchParams,
  source: (beforeSeq: number) => Iterable<{ seq: number; item: T }>,
  matches: (item: T) => boolean,
): Page<T> {
  const count = Math.min(MAX_PAGE, readInteger(query, 'count') ?? MAX_PAGE)
  const beforeSeq = query.get('cursor') ? readInteger(query, 'cursor') : undefined
  const items: T[] = []
  let lastSeq = 0
  for (const { seq, item } of source(beforeSeq ?? Number.MAX_SAFE_INTEGER)) {
    if (!matches(item)) continue
    // One more than the page holds, so that the last page is known as such.
    if (items.length === count) return { items, cursor: String(lastSeq) }
    items.push(item)
    lastSeq = seq
  }
  return { items }
}

/** @throws ApiError 400 when the parameter is there and is no whole number. */
export function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new ApiError(400, `invalid ${name}: ${text}`)
  return Number(text)
}
