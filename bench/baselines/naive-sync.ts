import type { Platform } from '../../src/domain/platforms.ts'
import { type AccessToken, type ConnectorContext, PlatformError } from '../../src/ports.ts'
import { connectorOf } from '../../src/services/accounts/connector-context.ts'
import type { ServiceDeps } from '../../src/services/context.ts'
import { openCredentials } from '../../src/services/credentials/open-credentials.ts'
import { toReading } from '../../src/services/sync/readings.ts'
import { sumAllDays, upsertPost } from './naive-ingest.ts'

export interface KnownAccount {
  id: string
  workspaceId: string
  platform: Platform
  host: string | null
  externalId: string
  handle: string
  posts: { id: string; postedAtMs: number }[]
}

export interface NaiveRefresh {
  refreshed: number
  /** Times that a platform refused, whereupon it waits as long as that says. */
  refused: number
}

/** Where a platform does not say. */
const WAIT_MS = 60_000

/**
 * Refreshing posts as one would at first: account by account, a call and an upsert for each post, then the daily
 * sums anew. It knows no limit but the platform's refusal.
 */
export async function refreshNaively(options: {
  deps: ServiceDeps
  fetchFor: ServiceDeps['fetchFor']
  accounts: KnownAccount[]
  wait: (ms: number) => void
  budgetMs: number
}): Promise<NaiveRefresh> {
  const { deps, fetchFor, accounts, wait, budgetMs } = options
  const endMs = performance.now() + budgetMs
  const result = { refreshed: 0, refused: 0 }
  const workspaces = new Set<string>()
  for (const account of accounts) {
    const accessToken = await tokenOf(deps, account)
    for (const post of account.posts) {
      if (performance.now() > endMs) break
      while (!(await refresh(account, accessToken, post))) result.refused += 1
      result.refreshed += 1
      workspaces.add(account.workspaceId)
    }
  }
  for (const workspaceId of workspaces) await deps.db.inWorkspace(workspaceId, [sumAllDays(workspaceId)])
  return result

  /** @returns whether the platform let us read it, and said something of it */
  async function refresh(
    { id, workspaceId, platform, host, externalId, handle }: KnownAccount,
    accessToken: AccessToken | undefined,
    post: KnownAccount['posts'][number],
  ): Promise<boolean> {
    const connector = await connectorOf(deps, platform)
    let isOpen = false
    const context: ConnectorContext = {
      accessToken,
      fetch: fetchFor(platform),
      admit: async () => ({ settle() {} }),
      leaveOpen() {
        isOpen = true
      },
    }
    const account = connector.batchBy === 'account' ? { externalId, host, handle } : null
    try {
      const found = await connector.refreshPosts(context, { host, account }, [post])
      for (const shown of found)
        await deps.db.inWorkspace(workspaceId, [
          upsertPost(workspaceId, toReading(id, shown, deps.clock.now())),
        ])
      return !isOpen
    } catch (error) {
      if (!(error instanceof PlatformError && error.retryable)) throw error
      if (error.kind === 'rate_limited') wait(error.retryAfterMs ?? WAIT_MS)
      return false
    }
  }
}

async function tokenOf(deps: ServiceDeps, account: KnownAccount): Promise<AccessToken | undefined> {
  const connector = await connectorOf(deps, account.platform)
  const opened = await openCredentials(deps, connector, account.host, [account])
  return opened.get(account.id)?.accessToken
}
