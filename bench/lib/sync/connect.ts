import type { Account as Person } from '../../../scripts/local/platforms/types.ts'
import { insertAccount } from '../../../src/db/queries/accounts.ts'
import { PLATFORM_FACTS, PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import { newId } from '../../../src/lib/ids.ts'
import { type AccountProfile, PlatformError } from '../../../src/ports.ts'
import { connectorContext, connectorOf } from '../../../src/services/accounts/connector-context.ts'
import { beginAuthorization } from '../../../src/services/authorizations/begin-authorization.ts'
import { comeBack } from '../../../src/services/authorizations/come-back.ts'
import { connectGranted } from '../../../src/services/authorizations/connect-granted.ts'
import type { ServiceContext } from '../../../src/services/context.ts'
import { UsageLedger } from '../../../src/services/usage/usage-ledger.ts'
import { member, NOWHERE } from '../../../test/harness/actors.ts'
import { assertMeasured } from '../benchmark.ts'
import type { SyncEngine } from './engine.ts'
import { MASTODON_HOSTS, type Networks } from './networks.ts'
import type { StandingWorlds } from './standing-worlds.ts'

/** Platforms where one person signs in for many accounts: the pages of Meta's networks. */
const SIGN_IN_TOGETHER: ReadonlySet<Platform> = new Set<Platform>(['instagram', 'facebook'])
const USER_ID = 'bench'

export interface ConnectOptions {
  engine: SyncEngine
  networks: Networks
  worlds: StandingWorlds
  workspaceIds: readonly string[]
}

/**
 * Connects all accounts of all platforms, spread evenly over the workspaces: by their names or, where a
 * platform wants that, by signing in there, so that each is stored with a sealed credential.
 */
export async function connectAll(options: ConnectOptions): Promise<void> {
  const { engine, networks, worlds, workspaceIds } = options
  for (const platform of PLATFORMS) {
    const people = worlds.truthOf(platform).accounts(platform)
    for (const [i, workspaceId] of workspaceIds.entries()) {
      const ours = people.filter(({ index }) => index % workspaceIds.length === i)
      if (PLATFORM_FACTS[platform].connects !== 'oauth') {
        for (const person of ours) await connectByName(engine, workspaceId, person)
        continue
      }
      const together = SIGN_IN_TOGETHER.has(platform) ? [ours] : ours.map((person) => [person])
      for (const some of together) await signIn(engine, networks, workspaceId, some)
    }
  }
  // What is queued for those who wait is left to the first plan, so that all begins at the same moment.
  await engine.forget()
}

async function connectByName(engine: SyncEngine, workspaceId: string, person: Person): Promise<void> {
  const { deps } = engine
  const { platform } = person
  const { externalId, host, handle, displayName, url, avatarUrl } = await patiently(engine, async () => {
    const ledger = new UsageLedger(deps.clock.now)
    const context = connectorContext(deps, platform, { ledger, shares: [{ workspaceId, items: 1 }] })
    return (await connectorOf(deps, platform)).resolve(context, typed(person))
  })
  await deps.db.inWorkspace(workspaceId, [
    insertAccount(workspaceId, {
      ...{ id: newId(), platform, externalId, host, handle, displayName, url, avatarUrl, brandId: null },
      source: PLATFORM_FACTS[platform].connects === 'anyone' ? 'public' : 'app',
      trackedSince: new Date(deps.clock.now()).toISOString(),
    }),
  ])
}

/** What a person types. */
function typed({ platform, handle, index }: Person): string {
  if (platform === 'mastodon') return `@${handle}@${MASTODON_HOSTS[index % MASTODON_HOSTS.length]}`
  return platform === 'reddit' ? `u/${handle}` : handle
}

/** Asks again when the allowance is there again. */
async function patiently(engine: SyncEngine, ask: () => Promise<AccountProfile>): Promise<AccountProfile> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.isRefusal) throw error
      engine.wait(error.retryAfterMs ?? 1_000)
    }
  }
}

async function signIn(
  engine: SyncEngine,
  networks: Networks,
  workspaceId: string,
  people: readonly Person[],
): Promise<void> {
  const [first] = people
  if (first === undefined) return
  const { platform } = first
  const ctx: ServiceContext = {
    ...engine.deps,
    workspace: { id: workspaceId, timezone: 'UTC' },
    actor: member('analyst', { userId: USER_ID }),
    origin: NOWHERE,
    requestId: 'bench',
  }
  const begun = await beginAuthorization(ctx, { platform })
  const agreeing = new URL(begun.url)
  agreeing.searchParams.set('approve', people.map(({ id }) => id).join())
  const { headers } = await networks.answer(platform, new Request(agreeing))
  const back = new URL(headers.get('location') ?? 'none:').searchParams
  const [state, code] = ['state', 'code'].map((name) => back.get(name) ?? undefined)
  await comeBack(
    ctx,
    { platform, state, code, error: undefined },
    { userId: USER_ID, contextIn: (id) => (id === workspaceId ? ctx : null) },
  )
  const items = await connectGranted(ctx, begun.id, { externalIds: people.map(({ id }) => id) })
  assertMeasured(items.length === people.length, `${platform} did not let everybody in`)
}
