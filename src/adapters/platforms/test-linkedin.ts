import type { LIBatchGetResponse, LIFinderResponse } from 'linkedin-api-client'
import { noMetrics } from '../../domain/platforms.ts'
import type { AccountRef } from '../../ports.ts'
import { createRules } from './limits.ts'
import { createLinkedInConnector } from './linkedin.ts'
import { type TestNetwork, testNetwork } from './test-network.ts'

/** For the tests of LinkedIn's connector: the connector, and answers as LinkedIn gives them. */

// LinkedIn's own client types what stands around entities, and leaves the entities open.
export type Page = LIFinderResponse['data']
export type Batch = LIBatchGetResponse['data']

/** The moment of all these tests. */
export const NOW = Date.parse('2026-11-22T09:00:00Z')

export const connector = createLinkedInConnector({
  app: { id: 'app-1', secret: 'app-secret' },
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})

export const page: AccountRef = { externalId: '123456', host: null, handle: 'adacharts' }

/** A network that is called with the token of a member. */
export function signedIn(answer: (url: URL, body: string) => unknown): TestNetwork {
  const network = testNetwork(answer)
  network.ctx.accessToken = { value: 'token-1', host: 'api.linkedin.com', allowance: 'member-1' }
  return network
}

export function post(id: string, changes: Record<string, unknown> = {}): Page['elements'][number] {
  return {
    id,
    author: 'urn:li:organization:123456',
    commentary: 'New study #dataviz',
    createdAt: NOW - 86_400_000,
    publishedAt: NOW - 86_399_000,
    lastModifiedAt: NOW - 86_399_000,
    lifecycleState: 'PUBLISHED',
    visibility: 'PUBLIC',
    ...changes,
  }
}

export function statistics(urn: string, changes: Record<string, unknown> = {}): Page['elements'][number] {
  return {
    organizationalEntity: 'urn:li:organization:123456',
    [urn.includes('ugcPost') ? 'ugcPost' : 'share']: urn,
    totalShareStatistics: {
      impressionCount: 2_300,
      uniqueImpressionsCount: 1_700,
      clickCount: 64,
      likeCount: 51,
      commentCount: 6,
      shareCount: 3,
      engagement: 0.0539,
      ...changes,
    },
  }
}

export const KNOWN = {
  ...noMetrics(),
  likes: 51,
  comments: 6,
  shares: 3,
  impressions: 2_300,
  reach: 1_700,
}
export const NONE = { ...noMetrics(), likes: 0, comments: 0, shares: 0, impressions: 0, reach: 0 }

// The client's type of `paging` knows no links, which LinkedIn documents.
export const listed = (elements: Page['elements'], links: object[] = []) => ({
  elements,
  paging: { start: 0, count: 100, links },
})

const found = (posts: Page['elements']) =>
  ({ results: Object.fromEntries(posts.map((one) => [one.id, one])), errors: {} }) satisfies Batch

/** A page with these posts, and statistics for some of them. */
export function pageWith(posts: Page['elements'], known: Page['elements']) {
  return signedIn((url) => {
    if (url.pathname !== '/rest/organizationalEntityShareStatistics')
      return url.searchParams.has('ids') ? found(posts) : listed(posts)
    const asked = url.searchParams.get('shares') ?? url.searchParams.get('ugcPosts') ?? ''
    return listed(known.filter((entry) => asked.includes(String(entry.share ?? entry.ugcPost))))
  })
}

export const SHARE = 'urn:li:share:7000000000000000001'
export const UGC = 'urn:li:ugcPost:7000000000000000002'
