import { runAction } from '../../scripts/local/platforms/actions.ts'
import { createFacebookHandler } from '../../scripts/local/platforms/facebook.ts'
import { createInstagramHandler } from '../../scripts/local/platforms/instagram.ts'
import type { MetaHandlerOptions } from '../../scripts/local/platforms/meta.ts'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import { createStats, type Stats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { createWorld, type World } from '../../scripts/local/platforms/world.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { createFacebookConnector } from '../../src/adapters/platforms/facebook.ts'
import { createInstagramConnector } from '../../src/adapters/platforms/instagram.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { distinctTags } from '../../src/domain/hashtags.ts'
import { noMetrics, type PostMetrics } from '../../src/domain/platforms.ts'
import type {
  CallOutcome,
  ConnectorContext,
  GrantedAccount,
  OAuthFlow,
  PlatformCall,
  PlatformConnector,
  PlatformPost,
} from '../../src/ports.ts'

/** For the tests of Meta's networks: a connector and the simulated platform that it reads. */

export const NOW = Date.parse('2026-11-22T12:00:00Z')
const ORIGIN = 'http://127.0.0.1:2590'
const REDIRECT_URI = 'https://tidemark.example/oauth/callback'
/** With its digest, from RFC 7636's appendix. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

export type Network = 'instagram' | 'facebook'

export interface MetaPeer {
  world: World
  stats: Stats
  connector: PlatformConnector
  oauth: OAuthFlow
  /** Of nobody; see `signIn`. */
  ctx: ConnectorContext
  admitted: PlatformCall[]
  outcomes: CallOutcome[]
  accounts: readonly Account[]
  /** Asks the platform itself. */
  ask: (path: string, init?: RequestInit) => Promise<{ status: number; headers: Headers; json: unknown }>
  advance: (ms: number) => void
  act: (verb: string, body: object) => void
  truth: (account: Account) => AccountTruth
  /** What the platform answers to somebody who agrees to let these accounts be read. */
  agree: (accounts: readonly Account[], change?: (url: URL) => void) => Promise<string>
  /** The accounts that a person who agrees has granted. */
  signIn: (accounts: readonly Account[]) => Promise<GrantedAccount[]>
  /** A context with the token of an account. */
  contextOf: (granted: GrantedAccount) => ConnectorContext
}

export function startMetaPeer(
  platform: Network,
  options: Omit<MetaHandlerOptions, 'now' | 'stats'> = {},
): MetaPeer {
  let now = NOW
  const world = createWorld({
    seed: 'meta',
    now: () => now,
    epoch: NOW - 60 * 86_400_000,
    accounts: { [platform]: 3 },
  })
  const stats = createStats()
  const create = platform === 'instagram' ? createInstagramHandler : createFacebookHandler
  const handler = create(world, { ...options, stats })
  const createConnector = platform === 'instagram' ? createInstagramConnector : createFacebookConnector
  const connector = createConnector({
    app: SIMULATED_CLIENT,
    apiUrl: ORIGIN,
    siteUrl: ORIGIN,
    userAgent: 'Tidemark',
    ruleOf: createRules(),
  })
  const { oauth } = connector
  if (oauth === undefined) throw new Error('The platform is read with sign-ins')
  const admitted: PlatformCall[] = []
  const outcomes: CallOutcome[] = []
  const ctx: ConnectorContext = {
    fetch: createGuardedFetch({
      allowPrivateHosts: true,
      fetch: (url, init) => handler(new Request(url, init)),
    }),
    admit: async (call) => {
      admitted.push(call)
      return { settle: (outcome) => void outcomes.push(outcome) }
    },
  }

  const agree: MetaPeer['agree'] = async (accounts, change) => {
    const url = new URL(
      oauth.authorizationUrl({ redirectUri: REDIRECT_URI, state: 'state-1', codeChallenge: CHALLENGE }),
    )
    url.searchParams.set('approve', accounts.map(({ key }) => key).join(','))
    change?.(url)
    const location = (await handler(new Request(url))).headers.get('location') ?? ''
    return new URL(location).searchParams.get('code') ?? ''
  }

  return {
    world,
    stats,
    connector,
    oauth,
    ctx,
    admitted,
    outcomes,
    accounts: world.accounts(platform),
    ask: async (path, init) => {
      const response = await handler(new Request(new URL(path, ORIGIN), init))
      const json: unknown = await response.json()
      return { status: response.status, headers: response.headers, json }
    },
    advance: (ms) => {
      now += ms
    },
    act: (verb, body) => void runAction(world, verb, body),
    truth: (account) => truthOf(world, account, now),
    agree,
    signIn: async (accounts) => {
      const code = await agree(accounts)
      const grant = await oauth.exchangeCode(ctx, { code, codeVerifier: VERIFIER, redirectUri: REDIRECT_URI })
      return oauth.listAccounts(ctx, grant)
    },
    contextOf: ({ grant, profile }) => ({
      ...ctx,
      accessToken: { value: grant.accessToken, host: oauth.apiHost, allowance: profile.externalId },
    }),
  }
}

/** Takes a code for a grant, as after `agree`. */
export function exchange(peer: MetaPeer, code: string, codeVerifier = VERIFIER) {
  return peer.oauth.exchangeCode(peer.ctx, { code, codeVerifier, redirectUri: REDIRECT_URI })
}

/** Everything that an account posted, as a sync reads it. */
export async function readAll(
  peer: MetaPeer,
  ctx: ConnectorContext,
  { profile }: GrantedAccount,
): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await peer.connector.fetchPosts(ctx, profile, cursor)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

/** Signs in for one account. */
export async function connect(peer: MetaPeer, index = 0) {
  const account = peer.accounts[index]
  if (account === undefined) throw new Error('There is no such account')
  const [granted] = await peer.signIn([account])
  if (granted === undefined) throw new Error('Nothing was granted')
  const ctx = peer.contextOf(granted)
  return { account, granted, ctx, scope: { host: null, account: granted.profile } }
}

function expectedMetrics(network: Network, { metrics }: AccountTruth['posts'][number]): PostMetrics {
  const both = {
    ...noMetrics(),
    likes: metrics.likes,
    comments: metrics.replies,
    shares: metrics.reposts,
    views: metrics.views,
  }
  return network === 'facebook' ? both : { ...both, saves: metrics.bookmarks, reach: metrics.reach }
}

/** What of the truth can be seen: seconds, and no deleted posts. */
export function expectedPosts(network: Network, truth: AccountTruth) {
  return truth.posts
    .filter((post) => post.deletedAt === null)
    .map((post) => ({
      id: post.id,
      kind: 'post',
      text: post.text,
      hashtags: distinctTags(post.hashtags),
      postedAt: `${post.createdAt.slice(0, 19)}.000Z`,
      metrics: expectedMetrics(network, post),
    }))
}

/** For what cannot be missing. */
export function never(): never {
  throw new Error('There is nothing')
}
