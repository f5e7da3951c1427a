import type {
  Account,
  ApiKey,
  AuditLogEntry,
  Brand,
  Budgets,
  CircuitBreakers,
  CreateApiKey,
  CreatedApiKey,
  CreatedInvitation,
  CreateInvitation,
  DatabaseReport,
  DeadLetter,
  Health,
  Invitation,
  MalformedAnswer,
  Member,
  OutboxState,
  Page,
  ScheduleState,
  SyncState,
  UpdateMember,
  WorkspaceSummary,
} from '../../../src/http/wire.ts'
import { readAll } from './endpoints.ts'
import { request, requestHeaders, toApiError } from './http.ts'
import { buildQuery, type QueryValue } from './query.ts'

type Query = Readonly<Record<string, QueryValue>>

const at = (...parts: string[]) => parts.map((part) => `/${encodeURIComponent(part)}`).join('')

export const getApiKeys = (signal?: AbortSignal) => readAll<ApiKey>('/api-keys', { maxPages: 5, signal })

export const createApiKey = (json: CreateApiKey) =>
  request<CreatedApiKey>('/api-keys', { method: 'POST', json })

export const revokeApiKey = (id: string) => request<undefined>(at('api-keys', id), { method: 'DELETE' })

export const createWorkspace = (json: { name: string; timezone: string }) =>
  request<WorkspaceSummary>('/workspaces', { method: 'POST', json })

export const updateWorkspace = (id: string, json: { name: string; timezone: string }) =>
  request<undefined>(at('workspaces', id), { method: 'PATCH', json })

export const transferWorkspace = (id: string, userId: string) =>
  request<undefined>(`${at('workspaces', id)}/transfer`, { method: 'POST', json: { userId } })

/** Members of a workspace, at most 1,000 of them. */
export const getMembers = (workspaceId: string, signal?: AbortSignal) =>
  readAll<Member>(at('workspaces', workspaceId, 'members'), { maxPages: 10, signal })

export const changeMember = (workspaceId: string, userId: string, json: UpdateMember) =>
  request<Member>(at('workspaces', workspaceId, 'members', userId), { method: 'PATCH', json })

/** Removes a member; oneself: leaves. */
export const removeMember = (workspaceId: string, userId: string) =>
  request<undefined>(at('workspaces', workspaceId, 'members', userId), { method: 'DELETE' })

/** Invitations of a workspace, the newest 500. */
export const getInvitations = (workspaceId: string, signal?: AbortSignal) =>
  readAll<Invitation>(at('workspaces', workspaceId, 'invitations'), { maxPages: 5, signal })

export const createInvitation = (workspaceId: string, json: CreateInvitation) =>
  request<CreatedInvitation>(at('workspaces', workspaceId, 'invitations'), { method: 'POST', json })

export const withdrawInvitation = (workspaceId: string, id: string) =>
  request<undefined>(at('workspaces', workspaceId, 'invitations', id), { method: 'DELETE' })

/** Every brand that the reader may see; there are few enough for one answer. */
export const getBrands = async (signal?: AbortSignal) =>
  (await request<Page<Brand>>('/brands', { signal })).items

export const createBrand = (name: string) => request<Brand>('/brands', { method: 'POST', json: { name } })

export const renameBrand = (id: string, name: string) =>
  request<unknown>(at('brands', id), { method: 'PATCH', json: { name } })

export const removeBrand = (id: string) => request<undefined>(at('brands', id), { method: 'DELETE' })

/** Puts an account into a brand; `null`: into none. */
export const assignBrand = (accountId: string, brandId: string | null) =>
  request<Account>(at('accounts', accountId), { method: 'PATCH', json: { brandId } })

export const getAuditLog = (query: Query, signal?: AbortSignal) =>
  request<Page<AuditLogEntry>>('/audit-log', { query, signal })

/** The audit log as a file. A link could not say which workspace it is about. */
export async function exportAuditLog(query: Query): Promise<Blob> {
  const response = await fetch(`/api/v1/exports/audit-log.csv${buildQuery(query)}`, {
    headers: { ...requestHeaders(), accept: 'text/csv' },
    credentials: 'same-origin',
  })
  if (!response.ok) throw await toApiError(response)
  return response.blob()
}

export const getHealth = (signal?: AbortSignal) => request<Health>('/ops/health', { signal })

export const getOutbox = (signal?: AbortSignal) => request<OutboxState>('/ops/outbox', { signal })

export const getDeadLetters = (query: Query, signal?: AbortSignal) =>
  request<Page<DeadLetter>>('/ops/dead-letters', { query, signal })

export const retryDeadLetter = (id: string) =>
  request<undefined>(`${at('ops', 'dead-letters', id)}/retry`, { method: 'POST', json: {} })

export const dropDeadLetter = (id: string) =>
  request<undefined>(at('ops', 'dead-letters', id), { method: 'DELETE' })

export const getSchedules = (signal?: AbortSignal) =>
  request<Page<ScheduleState>>('/ops/schedules', { signal })

export const getDatabase = (signal?: AbortSignal) => request<DatabaseReport>('/ops/database', { signal })

export const getBudgets = (signal?: AbortSignal) => request<Budgets>('/ops/budgets', { signal })

/** Those in trouble first. */
export const getCircuitBreakers = (signal?: AbortSignal) =>
  request<CircuitBreakers>('/ops/circuit-breakers', { signal })

/** The latest first. */
export const getMalformedAnswers = async (signal?: AbortSignal) =>
  (await request<Page<MalformedAnswer>>('/ops/malformed-answers', { signal })).items

/** Stops calls to a platform, or lets them go on; without a platform: to all of them. */
export const switchSync = (what: 'pause' | 'resume', platform?: string) =>
  request<SyncState>(`/ops/sync/${what}`, {
    method: 'POST',
    json: platform === undefined ? {} : { platform },
  })
