import { expect } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { createLinkedInHandler, type LinkedInLimits } from '../../scripts/local/platforms/linkedin.ts'
import { createStats, type Stats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { createWorld, type World } from '../../scripts/local/platforms/world.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { createLinkedInConnector } from '../../src/adapters/platforms/linkedin.ts'
import type { CallOutcome, ConnectorContext, TokenGrant } from '../../src/ports.ts'

/** LinkedIn's connector, and the LinkedIn that the local stack simulates, which knows the truth. */

export const NOW = Date.now()
export const ORIGIN = 'http://127.0.0.1:2590'
export const REDIRECT = 'http://127.0.0.1:8787/oauth/linkedin/callback'

export const connector = createLinkedInConnector({
  app: { id: 'simulated-client', secret: 'simulated-secret' },
  apiUrl: ORIGIN,
  siteUrl: ORIGIN,
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})
export const { oauth } = connector

export interface Peer {
  world: World
  stats: Stats
  accounts: readonly Account[]
  outcomes: CallOutcome[]
  /** A context with the token, or without one. */
  ctx: (accessToken?: string) => ConnectorContext
  advance: (ms: number) => void
  act: (verb: string, body: object) => void
  truth: (account: Account) => AccountTruth
  get: (path: string, headers?: Record<string, string>) => Promise<{ status: number; json: unknown }>
}

export function startPeer(
  limits: Partial<LinkedInLimits> = { application: 10_000, member: 10_000 },
  givesRefreshTokens = true,
): Peer {
  let now = NOW
  const world = createWorld({
    seed: 'linkedin',
    now: () => now,
    epoch: NOW - 300 * 86_400_000,
    accounts: { linkedin: 3 },
  })
  const stats = createStats()
  const handler = createLinkedInHandler(world, { limits, stats, givesRefreshTokens })
  const outcomes: CallOutcome[] = []
  return {
    world,
    stats,
    outcomes,
    accounts: world.accounts('linkedin'),
    ctx: (value) => ({
      fetch: (url, init) => handler(new Request(url, init)),
      admit: async () => ({ settle: (outcome) => void outcomes.push(outcome) }),
      ...(value !== undefined && {
        accessToken: { value, host: new URL(ORIGIN).host, allowance: 'member' },
      }),
    }),
    advance: (ms) => {
      now += ms
    },
    act: (verb, body) => {
      runAction(world, verb, body)
    },
    truth: (account) => truthOf(world, account, now),
    get: async (path, headers = {}) => {
      const response = await handler(new Request(ORIGIN + path, { headers }))
      return { status: response.status, json: await response.json() }
    },
  }
}

/** Signs in as the administrator of these pages. */
export async function signIn(peer: Peer, accounts: readonly Account[]): Promise<TokenGrant> {
  const url = new URL(
    oauth.authorizationUrl({ redirectUri: REDIRECT, state: 'state-1', codeChallenge: 'challenge' }),
  )
  url.searchParams.set('approve', accounts.map(({ id }) => id).join(','))
  const response = await peer.ctx().fetch(url.href)
  const back = new URL(response.headers.get('location') ?? '')
  expect(back.searchParams.get('state')).toBe('state-1')
  const code = back.searchParams.get('code') ?? ''
  return oauth.exchangeCode(peer.ctx(), { code, codeVerifier: 'verifier', redirectUri: REDIRECT })
}
