import type {
  Account,
  AccountMetricsPoint,
  Authorization,
  BegunAuthorization,
  ImportReport,
  Job,
  Me,
  Overview,
  Page,
  Post,
  PostSnapshot,
  Ticket,
  TrendingHashtags,
  TrendingWindow,
  Usage,
} from '../../../src/http/wire.ts'
import { request } from './http.ts'
import type { QueryValue } from './query.ts'

/** An answer to a request that is carried out in the background. */
export type AcceptedJob = Job & { jobId: string }

type Query = Readonly<Record<string, QueryValue>>

const MAX_PAGE = 100

export const getMe = (signal?: AbortSignal) => request<Me>('/me', { signal })

export const getOverview = (query: Query, signal?: AbortSignal) =>
  request<Overview>('/dashboard/overview', { query, signal })

export const getTrending = (
  query: {
    window: TrendingWindow
    platforms: string[]
    brands: string[]
    minGeneration?: number | undefined
  },
  signal?: AbortSignal,
) => request<TrendingHashtags>('/trending/hashtags', { query: { ...query, limit: 10 }, signal })

export const getPosts = (query: Query, signal?: AbortSignal) =>
  request<Page<Post>>('/posts', { query, signal })

export const getPost = (id: string, signal?: AbortSignal) =>
  request<Post>(`/posts/${encodeURIComponent(id)}`, { signal })

/** Follows a list to its end, or to `maxPages` of it. */
export async function readAll<T>(
  path: string,
  options: { query?: Query; maxPages: number; signal?: AbortSignal | undefined },
): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  for (let page = 0; page < options.maxPages; page += 1) {
    const answer: Page<T> = await request<Page<T>>(path, {
      query: { ...options.query, limit: MAX_PAGE, cursor },
      signal: options.signal,
    })
    items.push(...answer.items)
    cursor = answer.nextCursor
    if (cursor === null) break
  }
  return items
}

/** A post's readings over time, oldest first. */
export async function getPostSnapshots(id: string, signal?: AbortSignal): Promise<PostSnapshot[]> {
  const items = await readAll<PostSnapshot>(`/posts/${encodeURIComponent(id)}/metrics`, {
    maxPages: 20,
    signal,
  })
  return items.sort((a, b) => a.observedAt.localeCompare(b.observedAt))
}

/** Accounts of the workspace, at most 2,000 of them. */
export const getAccounts = (query: Query, signal?: AbortSignal) =>
  readAll<Account>('/accounts', { query, maxPages: 20, signal })

export const connectAccount = (
  json: { platform: string; handle: string; brandId?: string; credentials?: { accessToken: string } },
  signal?: AbortSignal,
) => request<Account>('/accounts', { method: 'POST', json, signal })

const accountPath = (id: string) => `/accounts/${encodeURIComponent(id)}`

export const updateAccount = (id: string, json: { status: 'active' | 'paused' }) =>
  request<Account>(accountPath(id), { method: 'PATCH', json })

export const deleteAccount = (id: string) => request<unknown>(accountPath(id), { method: 'DELETE' })

export const restoreAccount = (id: string) =>
  request<unknown>(`${accountPath(id)}/restore`, { method: 'POST', json: {} })

export const syncAccount = (id: string) =>
  request<AcceptedJob>(`${accountPath(id)}/sync`, { method: 'POST', json: {} })

/** What an account is read with from now on; its server is asked first. */
export const storeCredentials = (id: string, accessToken: string) =>
  request<undefined>(`${accountPath(id)}/credentials`, { method: 'PUT', json: { accessToken } })

export const removeCredentials = (id: string) =>
  request<undefined>(`${accountPath(id)}/credentials`, { method: 'DELETE' })

export const getAccount = (id: string, signal?: AbortSignal) => request<Account>(accountPath(id), { signal })

/** The last reading of each day, oldest first. */
export const getAccountMetrics = async (id: string, signal?: AbortSignal) =>
  (await request<Page<AccountMetricsPoint>>(`${accountPath(id)}/metrics`, { signal })).items

/** Begins to connect accounts of a platform by signing in there; with `accountId`, to read one again. */
export const beginAuthorization = (json: { platform: string; brandId?: string; accountId?: string }) =>
  request<BegunAuthorization>('/accounts/authorizations', { method: 'POST', json })

const authorizationPath = (id: string) => `/accounts/authorizations/${encodeURIComponent(id)}`

export const getAuthorization = (id: string, signal?: AbortSignal) =>
  request<Authorization>(authorizationPath(id), { signal })

/** Connects accounts that were granted, all or none. */
export const connectGranted = async (id: string, externalIds: readonly string[]) =>
  (
    await request<{ items: Account[] }>(`${authorizationPath(id)}/connect`, {
      method: 'POST',
      json: { externalIds },
    })
  ).items

export const getUsage = (period: string, signal?: AbortSignal) =>
  request<Usage>('/usage', { query: { period }, signal })

export const getJob = (id: string, signal?: AbortSignal) =>
  request<Job>(`/jobs/${encodeURIComponent(id)}`, { signal })

/** The newest jobs of the workspace. */
export const getJobs = (signal?: AbortSignal) => request<Page<Job>>('/jobs', { query: { limit: 50 }, signal })

export const getImport = (id: string, signal?: AbortSignal) =>
  request<ImportReport>(`/imports/${encodeURIComponent(id)}`, { signal })

export const createTicket = () => request<Ticket>('/realtime/tickets', { method: 'POST', json: {} })
