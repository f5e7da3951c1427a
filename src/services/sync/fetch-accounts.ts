import { concurrently } from '../../lib/concurrently.ts'
import {
  type AccountProfile,
  type AccountRef,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
} from '../../ports.ts'
import { connectorContext } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { type OpenCredential, openCredentials, refreshNow } from '../credentials/open-credentials.ts'
import { noteMalformed } from '../usage/note-malformed.ts'
import type { UsageLedger } from '../usage/usage-ledger.ts'
import type { SyncAccountsMessage } from './messages.ts'
import { ONE_PAGE, type PageBounds, type PagesRead, readPages } from './read-pages.ts'
import { sharesOf } from './shares.ts'

type Member = SyncAccountsMessage['accounts'][number]

interface ReadAccount {
  member: Member
  /** When the credential was stored that the account was read with; `null`: with none. */
  readWith: string | null
}

export interface Fetched extends ReadAccount {
  profile: AccountProfile | null
  pages: PagesRead
  observedAtMs: number
}

export interface Failure extends ReadAccount {
  error: PlatformError
}

interface Outcome {
  fetched: Fetched[]
  failed: Failure[]
}

/** Accounts that are read at the same time; the runtime allows six connections to an invocation. */
const CONCURRENT_ACCOUNTS = 4
/** Posts of a new account that are read in its first delivery; the rest follow in messages of their own. */
const FIRST_POSTS = 400
/** A delivery has to end in its time: after this, no page but each account's newest is begun. */
const READING_MS = 15_000

/** Reads accounts of one message; `together` are those that no credential sets apart. */
class AccountReader {
  readonly #deps: ServiceDeps
  readonly #connector: PlatformConnector
  readonly #message: SyncAccountsMessage
  readonly #ledger: UsageLedger
  readonly #deadlineMs: number

  constructor(
    deps: ServiceDeps,
    connector: PlatformConnector,
    message: SyncAccountsMessage,
    ledger: UsageLedger,
  ) {
    this.#deps = deps
    this.#connector = connector
    this.#message = message
    this.#ledger = ledger
    this.#deadlineMs = deps.clock.now() + READING_MS
  }

  async read(members: Member[], credential: OpenCredential | null): Promise<Outcome> {
    const readWith = credential?.storedAt ?? null
    if (credential?.error !== undefined)
      return { fetched: [], failed: members.map((member) => ({ member, error: credential.error, readWith })) }
    const outcome: Outcome = { fetched: [], failed: [] }
    const profilesAtMs = this.#deps.clock.now()
    const context = this.#context(members, credential)
    let profiles: Map<string, AccountProfile>
    try {
      const found = await this.#connector.fetchProfiles(context, members.map(this.#refOf))
      profiles = new Map(found.map((profile) => [profile.externalId, profile]))
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      await noteMalformed(this.#deps, this.#connector.platform, context, error)
      if (error.retryable || members.length === 1)
        return { fetched: [], failed: members.map((member) => ({ member, error, readWith })) }
      // It may be about one of them alone.
      for (const member of members) add(outcome, await this.read([member], credential))
      return outcome
    }
    await concurrently(CONCURRENT_ACCOUNTS, members, async (member) => {
      const own = this.#context([member], credential)
      try {
        const ref = this.#refOf(member)
        const from = { cursor: null, newest: member.newest }
        const bounds: PageBounds = member.isNew
          ? { posts: FIRST_POSTS, deadlineMs: this.#deadlineMs }
          : ONE_PAGE
        const pages = await readPages(this.#connector, own, ref, from, bounds, this.#deps.clock.now)
        if (pages.stopped !== null)
          await noteMalformed(this.#deps, this.#connector.platform, own, pages.stopped)
        let profile = profiles.get(member.externalId) ?? null
        // Left out, and without posts: some servers say no more than that of a suspended account.
        if (profile === null && pages.posts.length === 0) profile = await this.#askByName(own, ref)
        outcome.fetched.push({ member, profile, pages, observedAtMs: profilesAtMs, readWith })
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error
        await noteMalformed(this.#deps, this.#connector.platform, own, error)
        const isKnown = error.retryable || profiles.has(member.externalId)
        const reason = isKnown ? error : await this.#whyMissing(own, this.#refOf(member), error)
        outcome.failed.push({ member, error: reason, readWith })
      }
    })
    return outcome
  }

  /** Reads an account with its own credential; one that is refused is renewed once, where its platform does that. */
  async readAlone(member: Member, credential: OpenCredential | null): Promise<Outcome> {
    const outcome = await this.read([member], credential)
    const error = outcome.failed[0]?.error
    const readWith = credential?.storedAt ?? null
    if (error?.kind !== 'auth' || readWith === null || credential?.error !== undefined) return outcome
    const fresh = await refreshNow(this.#deps, this.#connector, member, { readWith, error })
    return this.read([member], fresh)
  }

  readonly #refOf = ({ externalId, handle }: Member): AccountRef => ({
    externalId,
    host: this.#message.host,
    handle,
  })

  #context(members: Member[], credential: OpenCredential | null): ConnectorContext {
    const shares = sharesOf(members, () => 1)
    const accessToken = credential?.accessToken
    return connectorContext(this.#deps, this.#connector.platform, {
      accessToken,
      ledger: this.#ledger,
      shares,
    })
  }

  /** Of an account that has no profile any more: what its platform says of it by name, or else of its posts. */
  async #whyMissing(
    context: ConnectorContext,
    ref: AccountRef,
    ofPosts: PlatformError,
  ): Promise<PlatformError> {
    try {
      await this.#askByName(context, ref)
      return ofPosts
    } catch (error) {
      return error instanceof PlatformError && error.kind === 'gone' ? error : ofPosts
    }
  }

  /** Asks for an account by its name, whereupon its platform says what is wrong with it. */
  async #askByName(context: ConnectorContext, ref: AccountRef): Promise<AccountProfile> {
    const { tokens } = this.#connector
    const { accessToken } = context
    const profile =
      accessToken === undefined || tokens === undefined
        ? await this.#connector.resolve(context, ref.handle)
        : (await tokens.resolve(context, ref.handle, accessToken)).profile
    if (profile.externalId === ref.externalId && profile.host === ref.host) return profile
    throw new PlatformError('gone', 'The platform does not show this account any more.')
  }
}

/**
 * Fetches the profiles and newest posts of a message's accounts (of new ones also older posts): of those
 * without a credential together, of the others each by itself with its own.
 */
export async function fetchAccounts(
  deps: ServiceDeps,
  connector: PlatformConnector,
  message: SyncAccountsMessage,
  ledger: UsageLedger,
): Promise<Outcome> {
  const credentials = await openCredentials(deps, connector, message.host, message.accounts)
  const reader = new AccountReader(deps, connector, message, ledger)
  const ofAnybody = message.accounts.filter(({ id }) => !credentials.has(id))
  const outcome: Outcome = { fetched: [], failed: [] }
  if (connector.profileBatchSize > 1) {
    if (ofAnybody.length > 0) add(outcome, await reader.read(ofAnybody, null))
  } else {
    // Each with its posts: where every profile is a call, all of them first could use an allowance up, and what
    // was read be lost.
    await concurrently(CONCURRENT_ACCOUNTS, ofAnybody, async (member) =>
      add(outcome, await reader.read([member], null)),
    )
  }
  await concurrently(
    CONCURRENT_ACCOUNTS,
    message.accounts.filter(({ id }) => credentials.has(id)),
    async (member) => add(outcome, await reader.readAlone(member, credentials.get(member.id) ?? null)),
  )
  return outcome
}

function add(to: Outcome, more: Outcome): void {
  to.fetched.push(...more.fetched)
  to.failed.push(...more.failed)
}
