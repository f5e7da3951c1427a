import type { RateLimitState } from './rate-limits.ts'

/** What a client did that the real platform would refuse, cut short or count against it. */
export type ViolationKind =
  | 'rate_limited'
  | 'too_many_ids'
  | 'limit_out_of_range'
  | 'bad_cursor'
  | 'bad_parameter'

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
}

export interface StatsSnapshot {
  calls: number
  endpoints: Record<string, EndpointStats>
  violations: Record<string, number>
  /** The newest of them. */
  recentViolations: Violation[]
  /** The fullest window of each rule: requests, the limit then, and their ratio. */
  peakUsage: Record<string, { used: number; limit: number; share: number }>
}

export interface Stats {
  call(endpoint: string, status: number, ids: number): void
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
    call: (endpoint, status, ids) => {
      current.calls += 1
      const stats = current.endpoints[endpoint] ?? { calls: 0, statuses: {}, ids: 0, maxIdsPerCall: 0 }
      current.endpoints[endpoint] = stats
      stats.calls += 1
      stats.statuses[status] = (stats.statuses[status] ?? 0) + 1
      stats.ids += ids
      stats.maxIdsPerCall = Math.max(stats.maxIdsPerCall, ids)
    },
    violation: (violation) => {
      current.violations[violation.kind] = (current.violations[violation.kind] ?? 0) + 1
      current.recentViolations.push(violation)
      if (current.recentViolations.length > KEPT_VIOLATIONS) current.recentViolations.shift()
    },
    usage: ({ rule, used, limit }) => {
      const share = limit === 0 ? 1 : used / limit
      if (share > (current.peakUsage[rule.name]?.share ?? 0))
        current.peakUsage[rule.name] = { used, limit, share }
    },
    snapshot: () => structuredClone(current),
    reset: () => {
      current = empty()
    },
  }
}

function empty(): StatsSnapshot {
  return { calls: 0, endpoints: {}, violations: {}, recentViolations: [], peakUsage: {} }
}
