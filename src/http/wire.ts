/** The shapes that travel: what the dashboard (and any TypeScript client) may import of the server. */
export type { Account, AccountMetricsPoint } from '../services/accounts/schemas.ts'
export type { TrendingHashtags, TrendingItem, TrendingWindow } from '../services/hashtags/schemas.ts'
export type { ImportReport } from '../services/imports/schemas.ts'
export type { Job } from '../services/jobs/schemas.ts'
export type {
  Change,
  Overview,
  OverviewMetric,
  SeriesEntry,
  TopPost,
  Totals,
} from '../services/overview/schemas.ts'
export type { Post, PostSnapshot } from '../services/posts/schemas.ts'
export type { Problem } from './problem.ts'

/** `GET /api/v1/me` */
export interface Me {
  kind: 'user' | 'apiKey'
  user: { id: string; email: string; name: string } | null
  apiKey: { id: string; name: string } | null
  workspace: { id: string; name: string; timezone: string; role: string | null }
  workspaces: { id: string; name: string; timezone: string; role: string }[]
  scopes: string[]
  limits: { name: string; limit: number; windowSeconds: number }[]
}

/** A list: `nextCursor` is `null` at its end. */
export interface Page<T> {
  items: T[]
  nextCursor: string | null
}

/** `POST /api/v1/realtime/tickets` */
export interface Ticket {
  ticket: string
  url: string
  expiresAt: string
}
