/** The shapes that travel: what the dashboard (and any TypeScript client) may import of the server. */

import type { Platform } from '../domain/platforms.ts'
import type { Role } from '../services/context.ts'
import type { Permission } from '../services/permissions.ts'

export type {
  ApiKey,
  CreateApiKey,
  CreatedApiKey,
  CreatedInvitation,
  CreateInvitation,
  Invitation,
  InvitationPreview,
  Member,
  UpdateMember,
  WorkspaceSummary,
} from '../services/access/schemas.ts'
export type { Account, AccountMetricsPoint } from '../services/accounts/schemas.ts'
export type { AuditAction } from '../services/audit/actions.ts'
export type { AuditLogEntry } from '../services/audit/schemas.ts'
export type { Authorization, BegunAuthorization } from '../services/authorizations/schemas.ts'
export type { Brand } from '../services/brands/schemas.ts'
export type { Role } from '../services/context.ts'
export type { TrendingHashtags, TrendingItem, TrendingWindow } from '../services/hashtags/schemas.ts'
export type { ImportReport } from '../services/imports/schemas.ts'
export type { Job } from '../services/jobs/schemas.ts'
export type {
  Budgets,
  CircuitBreaker,
  CircuitBreakers,
  DatabaseReport,
  DeadLetter,
  Health,
  MalformedAnswer,
  OutboxState,
  ScheduleState,
  SyncState,
} from '../services/ops/schemas.ts'
export type {
  Change,
  Overview,
  OverviewMetric,
  SeriesEntry,
  TopPost,
  Totals,
} from '../services/overview/schemas.ts'
export type { Permission } from '../services/permissions.ts'
export type { Post, PostSnapshot } from '../services/posts/schemas.ts'
export type { Usage } from '../services/usage/schemas.ts'
export type { Problem } from './problem.ts'

/** `GET /api/v1/me` */
export interface Me {
  kind: 'user' | 'apiKey'
  user: { id: string; email: string; name: string; emailVerified: boolean } | null
  apiKey: { id: string; name: string } | null
  workspace: { id: string; name: string; timezone: string; role: Role | null }
  workspaces: { id: string; name: string; timezone: string; role: Role }[]
  scopes: string[]
  /** Brands whose accounts alone are seen; `null`: all. */
  brands: string[] | null
  permissions: Permission[]
  /** Whether they run the deployment. */
  operator: boolean
  /** Platforms whose accounts can be connected here; of the others, posts can be imported. */
  connectable: Platform[]
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
