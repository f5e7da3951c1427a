import * as z from 'zod'
import {
  formatMastodonAddress,
  type MastodonAddress,
  parseMastodonAddress,
} from '../../domain/platform-input.ts'
import { type AccessToken, type AccountProfile, type ConnectorContext, PlatformError } from '../../ports.ts'
import { readNoting } from './entries.ts'
import { Count, cleanText, LooseList, OptionalName, OptionalText, WebAddress } from './fields.ts'
import { isData } from './http.ts'
import { isAbsent, type MastodonApi, mastodonFailure } from './mastodon-api.ts'

/** How often an account may have moved before we stop following it. */
const MAX_MOVES = 3

const Account = z.object({
  id: z.string().min(1),
  username: z.string().min(1).transform(cleanText),
  acct: z.string().min(1),
  display_name: OptionalName,
  url: WebAddress,
  avatar: WebAddress,
  followers_count: Count,
  following_count: Count,
  statuses_count: Count,
  suspended: z.boolean().nullable().catch(null),
  moved: z
    .object({ acct: z.string().min(1) })
    .nullable()
    .catch(null),
})
export type Account = z.infer<typeof Account>

const WebFinger = z.object({ subject: OptionalText, links: LooseList })
const SelfLink = z.object({ rel: z.literal('self'), href: WebAddress })

interface Found {
  account: Account
  /** The server that knows the account as its own. */
  apiHost: string
}

/** Reads an account; throws when it is malformed, `null` when it is suspended: its counts are no counts. */
export function readAccount(entry: unknown): Account | null {
  const account = Account.parse(entry)
  return account.suspended === true ? null : account
}

/** `domain` is the one of the account's handle, which may be another than the API's. */
export function toAccountProfile(account: Account, apiHost: string, domain: string): AccountProfile {
  return {
    externalId: account.id,
    host: apiHost,
    handle: formatMastodonAddress({ user: account.username, host: domain }),
    displayName: account.display_name,
    url: account.url ?? `https://${apiHost}/@${account.username}`,
    avatarUrl: account.avatar,
    followers: account.followers_count,
    following: account.following_count,
    posts: account.statuses_count,
  }
}

/** The account that a server has of its own under this name; `null` when it has none, or no such call. */
async function lookUp(
  ctx: ConnectorContext,
  api: MastodonApi,
  host: string,
  acct: string,
): Promise<Found | null> {
  const answer = await api.get(ctx, host, {
    path: '/api/v1/accounts/lookup',
    parameters: [['acct', acct]],
    operation: 'account.find',
  })
  if (isAbsent(answer)) return null
  if (!isData(answer)) throw mastodonFailure(ctx, answer, host)
  const account = readNoting(ctx, answer.json, () => Account.safeParse(answer.json))
  if (!account.success)
    throw new PlatformError('bad_answer', `The answer of the server ${host} could not be understood.`, {
      cause: account.error,
    })
  // Another's account: this server's counts of it are partial.
  if (account.data.acct.includes('@')) return null
  return { account: account.data, apiHost: answer.url.host }
}

/** Where the account of an address lives and what it is called there, by its domain's own word. */
async function askWebFinger(
  ctx: ConnectorContext,
  api: MastodonApi,
  address: MastodonAddress,
): Promise<MastodonAddress | null> {
  const resource = `acct:${formatMastodonAddress(address)}`
  const answer = await api.get(ctx, address.host, {
    path: '/.well-known/webfinger',
    parameters: [['resource', resource]],
    operation: 'account.find',
  })
  if (isAbsent(answer)) return null
  if (!isData(answer)) throw mastodonFailure(ctx, answer, address.host)
  const finger = WebFinger.safeParse(answer.json).data
  const self = finger?.links.flatMap((link) => SelfLink.safeParse(link).data?.href ?? [])[0]
  const host = self === undefined ? undefined : URL.parse(self)?.host
  if (host === undefined) return null
  return { user: parseMastodonAddress(finger?.subject ?? '')?.user ?? address.user, host }
}

function gone(address: MastodonAddress): PlatformError {
  return new PlatformError('gone', `There is no account ${formatMastodonAddress(address)}.`)
}

/** The account of an address, from the server itself or, where its API lives elsewhere, from there. */
async function findAccount(
  ctx: ConnectorContext,
  api: MastodonApi,
  address: MastodonAddress,
): Promise<Found & { domain: string }> {
  const direct = await lookUp(ctx, api, address.host, address.user)
  if (direct?.apiHost === address.host) return { ...direct, domain: address.host }
  const home =
    direct === null
      ? await askWebFinger(ctx, api, address)
      : { user: direct.account.username, host: direct.apiHost }
  if (home === null || home.host === address.host) throw gone(address)
  return findAtHome(ctx, api, address, home)
}

/** The account of an address at the server where it is said to live. */
async function findAtHome(
  ctx: ConnectorContext,
  api: MastodonApi,
  address: MastodonAddress,
  home: MastodonAddress,
): Promise<Found & { domain: string }> {
  // Only a server that takes the domain for its own may speak for it; otherwise the account goes by the
  // server's name, or anybody's domain could pass off another's account as its own.
  const vouched = await lookUp(
    ctx,
    api,
    home.host,
    formatMastodonAddress({ user: home.user, host: address.host }),
  )
  if (vouched !== null) return { ...vouched, domain: address.host }
  const named = await lookUp(ctx, api, home.host, home.user)
  if (named === null) throw gone(address)
  return { ...named, domain: home.host }
}

/** Finds an account by its address, at the server where it lives now. Throws `gone` when there is none. */
export async function resolveAccount(
  ctx: ConnectorContext,
  api: MastodonApi,
  address: MastodonAddress,
): Promise<AccountProfile> {
  let current = address
  for (let moves = 0; moves <= MAX_MOVES; moves++) {
    const { account, apiHost, domain } = await findAccount(ctx, api, current)
    if (account.suspended === true)
      throw new PlatformError('gone', `The account ${formatMastodonAddress(current)} is suspended.`)
    if (account.moved === null) return toAccountProfile(account, apiHost, domain)
    const { acct } = account.moved
    const next = parseMastodonAddress(acct.includes('@') ? acct : `${acct}@${domain}`)
    if (next === null) throw gone(current)
    current = next
  }
  throw new PlatformError(
    'gone',
    `The account ${formatMastodonAddress(address)} has moved too often to be followed.`,
  )
}

/**
 * Finds an account with a token of its server's. Which server that is says the address's own domain, without
 * being sent the token (servers that show nothing else answer this, or nobody could write to their users);
 * only then is the token sent, there alone. Accounts that have moved are not followed: the token would have
 * to go along.
 */
export async function resolveWithToken(
  ctx: ConnectorContext,
  api: MastodonApi,
  address: MastodonAddress,
  token: Omit<AccessToken, 'host'>,
): Promise<{ profile: AccountProfile; accessToken: AccessToken }> {
  const home = (await askWebFinger({ ...ctx, accessToken: undefined }, api, address)) ?? address
  const accessToken = { ...token, host: home.host }
  const bound = { ...ctx, accessToken }
  const { account, apiHost, domain } =
    home.host === address.host
      ? await findHere(bound, api, { ...address, user: home.user })
      : await findAtHome(bound, api, address, home)
  if (apiHost !== home.host)
    throw new PlatformError('bad_answer', `The server ${home.host} sends us elsewhere, where no token goes.`)
  if (account.suspended === true)
    throw new PlatformError('gone', `The account ${formatMastodonAddress(address)} is suspended.`)
  if (account.moved !== null)
    throw new PlatformError(
      'gone',
      `The account ${formatMastodonAddress(address)} has moved; connect the new one.`,
    )
  return { profile: toAccountProfile(account, apiHost, domain), accessToken }
}

async function findHere(
  ctx: ConnectorContext,
  api: MastodonApi,
  address: MastodonAddress,
): Promise<Found & { domain: string }> {
  const found = await lookUp(ctx, api, address.host, address.user)
  if (found === null) throw gone(address)
  return { ...found, domain: address.host }
}

/**
 * Asks a server whose token this is. That of any user of the server will do, not only of the account that is
 * read: a server that shows its posts to its users shows them to each, and an agency has one user for all the
 * accounts it follows. A token of an application alone is refused here, as closed servers refuse it.
 */
export async function verifyToken(
  ctx: ConnectorContext,
  api: MastodonApi,
  accessToken: AccessToken,
): Promise<void> {
  const { host } = accessToken
  const bound = { ...ctx, accessToken }
  const answer = await api.get(bound, host, {
    path: '/api/v1/accounts/verify_credentials',
    parameters: [],
    operation: 'account.find',
  })
  if (
    isData(answer) &&
    answer.url.host === host &&
    z.object({ id: z.string().min(1) }).safeParse(answer.json).success
  )
    return
  if (answer.status === 422 && answer.json !== undefined)
    throw new PlatformError(
      'auth',
      `The access token is one of an application; the server ${host} asks for a user's.`,
      {
        status: 422,
      },
    )
  if (answer.status >= 400 && isAbsent(answer))
    throw new PlatformError('bad_answer', `The server ${host} cannot be asked whose an access token is.`)
  throw mastodonFailure(bound, answer, host)
}
