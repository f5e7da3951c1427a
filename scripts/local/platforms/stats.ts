import type { RateLimitState } from './rate-limits.ts'

/** What a client did that the real platform would refuse, cut short or count against it. */
export type ViolationKind =
  | 'rate_limited'
  | 'too_many_ids'
  | 'limit_out_of_range'
  | 'bad_cursor'
  | 'bad_parameter'
  | 'bad_auth'

export interface Violation {
  at: number
  kind: ViolationKind
  endpoint: string
  detail: string
}

export interface EndpointStats {
  calls: number
  /** Calls by HTTP status. */
  statuses: Record<string, number>
  /** Ids asked for in batch calls, in all and in the largest call. */
  ids: number
  maxIdsPerCall: number
  /** Ids that the batch calls could have asked for. */
  idCapacity: number
  /** How full batch calls were, from 0 to 1; null where there was none. */
  fullness: number | null
}

export interface RuleUsage {
  used: number
  limit: number
  share: number
  /** Requests that were refused. */
  exceeded: number
}

/** One request, as it is counted. */
export interface CountedCall {
  endpoint: string
  status: number
  ids: number
  /** The most ids that the call could have asked for; 0 where it is no batch call. */
  batchMax: number
}

export interface StatsSnapshot {
  calls: number
  endpoints: Record<string, EndpointStats>
  violations: Record<string, number>
  /** The newest of them. */
  recentViolations: Violation[]
  /** The fullest window of each rule: units, the limit then, and their ratio. */
  peakUsage: Record<string, RuleUsage>
}

export interface Stats {
  call(call: CountedCall): void
  violation(violation: Violation): void
  usage(state: RateLimitState): void
  snapshot(): StatsSnapshot
  reset(): void
}

const KEPT_VIOLATIONS = 100

/** Counts what clients do to one platform. */
export function createStats(): Stats {
  let current = empty()
  return {
    call: ({ endpoint, status, ids, batchMax }) => {
      current.calls += 1
      const stats = current.endpoints[endpoint] ?? emptyEndpoint()
      current.endpoints[endpoint] = stats
      stats.calls += 1
      stats.statuses[status] = (stats.statuses[status] ?? 0) + 1
      stats.ids += ids
      stats.maxIdsPerCall = Math.max(stats.maxIdsPerCall, ids)
      stats.idCapacity += batchMax
      stats.fullness = stats.idCapacity === 0 ? null : stats.ids / stats.idCapacity
    },
    violation: (violation) => {
      current.violations[violation.kind] = (current.violations[violation.kind] ?? 0) + 1
      current.recentViolations.push(violation)
      if (current.recentViolations.length > KEPT_VIOLATIONS) current.recentViolations.shift()
    },
    usage: ({ rule, used, limit, isExceeded }) => {
      const share = limit === 0 ? 1 : used / limit
      const known = current.peakUsage[rule.name]
      const exceeded = (known?.exceeded ?? 0) + (isExceeded ? 1 : 0)
      const peak = known && known.share >= share ? known : { used, limit, share }
      current.peakUsage[rule.name] = { ...peak, exceeded }
    },
    snapshot: () => structuredClone(current),
    reset: () => {
      current = empty()
    },
  }
}

function emptyEndpoint(): EndpointStats {
  return { calls: 0, statuses: {}, ids: 0, maxIdsPerCall: 0, idCapacity: 0, fullness: null }
}

function empty(): StatsSnapshot {
  return { calls: 0, endpoints: {}, violations: {}, recentViolations: [], peakUsage: {} }
}
