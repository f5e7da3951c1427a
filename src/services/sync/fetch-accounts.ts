import {
  type AccessToken,
  type AccountProfile,
  type AccountRef,
  type PlatformConnector,
  PlatformError,
  type PostPage,
} from '../../ports.ts'
import { connectorContext } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { type OpenCredential, openCredentials } from '../credentials/open-credentials.ts'
import type { SyncAccountsMessage } from './messages.ts'

type Member = SyncAccountsMessage['accounts'][number]

interface ReadAccount {
  member: Member
  /** When the credential was stored that the account was read with; `null`: with none. */
  readWith: string | null
}

export interface Fetched extends ReadAccount {
  profile: AccountProfile | null
  page: PostPage
  observedAtMs: number
}

export interface Failure extends ReadAccount {
  error: PlatformError
}

interface Outcome {
  fetched: Fetched[]
  failed: Failure[]
}

/** Pages that are fetched at the same time; the runtime allows six connections to an invocation. */
const CONCURRENT_PAGES = 3

/**
 * Fetches the profiles and newest posts of a message's accounts: of those without a credential together, of
 * the others each by itself with its own.
 */
export async function fetchAccounts(
  deps: ServiceDeps,
  connector: PlatformConnector,
  message: SyncAccountsMessage,
): Promise<Outcome> {
  const credentials = await openCredentials(deps, connector, message.host, message.accounts)
  const ofAnybody = message.accounts.filter(({ id }) => !credentials.has(id))
  const { fetched, failed } =
    ofAnybody.length === 0
      ? { fetched: [], failed: [] }
      : await fetchTogether(deps, connector, { ...message, accounts: ofAnybody }, null)
  await concurrently(
    message.accounts.filter(({ id }) => credentials.has(id)),
    async (member) => {
      const credential = credentials.get(member.id) ?? null
      const alone =
        credential?.error === undefined
          ? await fetchTogether(deps, connector, { ...message, accounts: [member] }, credential)
          : { fetched: [], failed: [{ member, error: credential.error, readWith: credential.storedAt }] }
      fetched.push(...alone.fetched)
      failed.push(...alone.failed)
    },
  )
  return { fetched, failed }
}

async function concurrently<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: CONCURRENT_PAGES }, worker))
}

async function fetchTogether(
  deps: ServiceDeps,
  connector: PlatformConnector,
  message: SyncAccountsMessage,
  credential: OpenCredential | null,
): Promise<Outcome> {
  const token = credential?.accessToken
  const readWith = credential?.storedAt ?? null
  const context = () => connectorContext(deps, message.platform, token)
  const refOf = ({ externalId, handle }: Member): AccountRef => ({ externalId, host: message.host, handle })
  const fetched: Fetched[] = []
  const failed: Failure[] = []
  let profiles: Map<string, AccountProfile>
  const profilesAtMs = deps.clock.now()
  try {
    const found = await connector.fetchProfiles(context(), message.accounts.map(refOf))
    profiles = new Map(found.map((profile) => [profile.externalId, profile]))
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    if (error.retryable || message.accounts.length === 1)
      return { fetched, failed: message.accounts.map((member) => ({ member, error, readWith })) }
    // It may be about one of them alone.
    for (const member of message.accounts) {
      const alone = await fetchTogether(deps, connector, { ...message, accounts: [member] }, credential)
      fetched.push(...alone.fetched)
      failed.push(...alone.failed)
    }
    return { fetched, failed }
  }
  await concurrently(message.accounts, async (member) => {
    try {
      const ref = refOf(member)
      const page = await connector.fetchPosts(context(), ref, null)
      let profile = profiles.get(member.externalId) ?? null
      // Left out, and without posts: some servers say no more than that of a suspended account.
      if (profile === null && page.posts.length === 0) profile = await askByName(deps, connector, ref, token)
      // The moment before the call: what changes while it runs must not look older than it is read.
      fetched.push({ member, profile, page, observedAtMs: profilesAtMs, readWith })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      failed.push({ member, error, readWith })
    }
  })
  return { fetched, failed }
}

/** Asks for an account by its name, whereupon its platform says what is wrong with it. */
async function askByName(
  deps: ServiceDeps,
  connector: PlatformConnector,
  ref: AccountRef,
  token: AccessToken | undefined,
): Promise<AccountProfile> {
  const context = connectorContext(deps, connector.platform)
  const profile =
    token === undefined || connector.tokens === undefined
      ? await connector.resolve(context, ref.handle)
      : (await connector.tokens.resolve(context, ref.handle, token)).profile
  if (profile.externalId === ref.externalId && profile.host === ref.host) return profile
  throw new PlatformError('gone', 'The platform does not show this account any more.')
}
