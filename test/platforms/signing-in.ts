import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Account } from '../../scripts/local/platforms/types.ts'
import type { ConnectorContext, GrantedAccount, OAuthFlow, TokenGrant } from '../../src/ports.ts'
import type { Peer } from './peer.ts'

/** What a person does who lets a simulated platform's accounts be read. */

const REDIRECT_URI = 'https://tidemark.example/oauth/callback'
const VERIFIER = 'a-verifier-of-some-length-that-nobody-guesses-at-all'

export function oauthOf({ connector }: Peer): OAuthFlow {
  if (connector.oauth === undefined) throw new Error(`Nobody signs in to ${connector.platform}`)
  return connector.oauth
}

/**
 * Agrees on the platform's page. @returns the code that comes back
 * @param changes of the address that leads there, such as fewer scopes
 */
export async function agree(
  peer: Peer,
  accounts: readonly Account[] = [peer.account],
  changes: Record<string, string> = {},
): Promise<string> {
  const codeChallenge = createHash('sha256').update(VERIFIER).digest('base64url')
  const request = { redirectUri: REDIRECT_URI, state: 'a state', codeChallenge }
  const url = new URL(oauthOf(peer).authorizationUrl(request))
  const approve = accounts.map(({ id }) => id).join(',')
  for (const [name, value] of Object.entries({ approve, ...changes })) url.searchParams.set(name, value)
  const back = new URL((await peer.handler(new Request(url))).headers.get('location') ?? '').searchParams
  expect(back.get('state')).toBe('a state')
  return back.get('code') ?? ''
}

/** Takes a code for a grant. */
export function exchange(peer: Peer, code: string, codeVerifier = VERIFIER): Promise<TokenGrant> {
  return oauthOf(peer).exchangeCode(peer.ctx, { code, codeVerifier, redirectUri: REDIRECT_URI })
}

/** Agrees, and takes the code for a grant. */
export async function signIn(
  peer: Peer,
  accounts?: readonly Account[],
  changes?: Record<string, string>,
): Promise<TokenGrant> {
  return exchange(peer, await agree(peer, accounts, changes))
}

/** A context with the token of a grant. */
export function withGrant(peer: Peer, { accessToken }: TokenGrant, allowance = 'account'): ConnectorContext {
  return { ...peer.ctx, accessToken: { value: accessToken, host: oauthOf(peer).apiHost, allowance } }
}

/** Signs in for one account, and reads with what was granted for it. */
export async function connect(
  peer: Peer,
  account = peer.account,
): Promise<{ granted: GrantedAccount; ctx: ConnectorContext }> {
  const all = await oauthOf(peer).listAccounts(peer.ctx, await signIn(peer, [account]))
  const granted = all.find(({ profile }) => profile.externalId === account.id)
  if (granted === undefined) throw new Error('Nothing was granted')
  return { granted, ctx: withGrant(peer, granted.grant, account.id) }
}
