import * as z from 'zod'
import type { PostMetrics } from '../../domain/platforms.ts'
import {
  type AccountProfile,
  type AccountRef,
  type CallOperation,
  type ConnectorContext,
  type OAuthFlow,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
} from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts, readNoting } from './entries.ts'
import { chunksOf, distinctBy } from './fields.ts'
import { readAccountName, refuseInput } from './input.ts'
import type { RuleOf } from './limits.ts'
import {
  Batch,
  createLinkedInApi,
  Elements,
  encodeList,
  encodeValue,
  type LinkedInToken,
  WHO,
} from './linkedin-api.ts'
import { createLinkedInOAuth } from './linkedin-oauth.ts'
import { followersOf, Organization, organizationUrn } from './linkedin-organization.ts'
import { metricsOf, type PostUrnKind, postUrnKind, readPost, readStatistics } from './linkedin-post.ts'

/** LinkedIn advises no more URNs in a call for statistics. */
const BATCH_SIZE = 20
/** The newest posts are looked for often, and each batch of their statistics is a call of few in a day. */
const FIRST_PAGE_SIZE = 20
const PAGE_SIZE = 100

export const LINKEDIN_API_URL = 'https://api.linkedin.com'
export const LINKEDIN_SITE_URL = 'https://www.linkedin.com'

export interface LinkedInOptions {
  app: { id: string; secret: string }
  /** Base address of the API, without a slash at the end. */
  apiUrl?: string
  /** The same of the pages where people sign in. */
  siteUrl?: string
  userAgent: string
  ruleOf: RuleOf
}

const BatchError = z.object({ status: z.int() })

/** Reads the company pages whose administrators have signed in. */
export function createLinkedInConnector(
  options: LinkedInOptions,
): PlatformConnector & { readonly oauth: OAuthFlow } {
  const { app, apiUrl = LINKEDIN_API_URL, siteUrl = LINKEDIN_SITE_URL, userAgent, ruleOf } = options
  const apiHost = new URL(apiUrl).host
  const api = createLinkedInApi({ apiUrl, userAgent, ruleOf })

  function tokenOf(ctx: ConnectorContext): LinkedInToken {
    if (ctx.accessToken?.host === apiHost) return ctx.accessToken
    throw new PlatformError('auth', 'A LinkedIn page is read once one of its administrators has signed in.')
  }

  /** What share statistics say of posts of one kind, which is a parameter of its own. */
  async function readStatisticsOf(
    ctx: ConnectorContext,
    account: AccountRef,
    kind: PostUrnKind,
    ids: readonly string[],
    operation: CallOperation,
  ) {
    const query = [
      'q=organizationalEntity',
      `organizationalEntity=${encodeValue(organizationUrn(account.externalId))}`,
      `${kind === 'share' ? 'shares' : 'ugcPosts'}=${encodeList(ids)}`,
      // Without it a page holds ten, and a post that is left out would seem to have had no activity.
      `count=${BATCH_SIZE}`,
    ].join('&')
    const path = '/organizationalEntityShareStatistics'
    const call = { path, query, restMethod: 'FINDER', operation, items: ids.length } as const
    const { elements, paging } = await api.read(ctx, tokenOf(ctx), call, Elements)
    return readNoting(ctx, elements, () => readStatistics(elements, paging.count))
  }

  /** Posts with their metrics, which the posts themselves do not carry. */
  async function withMetrics(
    ctx: ConnectorContext,
    account: AccountRef,
    posts: readonly PlatformPost[],
    operation: CallOperation,
  ): Promise<PlatformPost[]> {
    const metrics = new Map<string, PostMetrics>()
    // Nobody counts a repost's.
    const counted = posts.filter((post) => post.kind !== 'repost')
    const byKind = Map.groupBy(counted, (post) => postUrnKind(post.platformPostId))
    for (const [kind, ofKind] of byKind) {
      if (kind === null) continue
      for (const chunk of chunksOf(ofKind, BATCH_SIZE)) {
        const ids = chunk.map((post) => post.platformPostId)
        const statistics = await readStatisticsOf(ctx, account, kind, ids, operation)
        for (const post of chunk) metrics.set(post.platformPostId, metricsOf(post, statistics, Date.now()))
      }
    }
    return posts.map((post) => ({ ...post, metrics: metrics.get(post.platformPostId) ?? post.metrics }))
  }

  return {
    platform: 'linkedin',
    refreshBatchSize: BATCH_SIZE,
    // A page's followers are a call of their own.
    profileBatchSize: 1,
    batchBy: 'account',
    // Statistics are asked for by kind: a batch of both kinds would take two calls that are half empty.
    refreshKind: (id) => postUrnKind(id) ?? '',
    oauth: createLinkedInOAuth({ app, siteUrl, apiHost, api, userAgent, ruleOf }),

    async resolve(ctx, input) {
      const name = requirePage(input)
      const token = tokenOf(ctx)
      const id = /^(?:urn:li:organization:)?(\d{1,20})$/u.exec(name)?.[1]
      const operation = 'account.find'
      if (id !== undefined) {
        const profile = await api.read(ctx, token, { path: `/organizations/${id}`, operation }, Organization)
        return followersOf(ctx, api, token, profile, operation)
      }
      const query = `q=vanityName&vanityName=${encodeValue(name)}`
      const call = { path: '/organizations', query, restMethod: 'FINDER', operation } as const
      const { elements } = await api.read(ctx, token, call, Elements)
      const [profile] = readEntries(ctx, elements, WHO, (entry) => Organization.parse(entry))
      if (profile === undefined) throw new PlatformError('gone', `There is no page ${name} on ${WHO}.`)
      return followersOf(ctx, api, token, profile, operation)
    },

    async fetchProfiles(ctx, accounts) {
      const profiles: AccountProfile[] = []
      for (const { externalId } of distinctBy(accounts, (account) => account.externalId)) {
        const token = tokenOf(ctx)
        const operation = 'profiles.read'
        try {
          const call = { path: `/organizations/${encodeValue(externalId)}`, operation } as const
          const profile = await api.read(ctx, token, call, Organization)
          profiles.push(await followersOf(ctx, api, token, profile, operation))
        } catch (error) {
          if (!(error instanceof PlatformError && error.kind === 'gone')) throw error
        }
      }
      return profiles
    },

    // As LinkedIn orders them: by when they were last changed, which for most is when they were published.
    async fetchPosts(ctx, account, cursor) {
      const start = readCursor(cursor)
      const count = cursor === null ? FIRST_PAGE_SIZE : PAGE_SIZE
      const query = [
        'q=author',
        `author=${encodeValue(organizationUrn(account.externalId))}`,
        `count=${count}`,
        `start=${start}`,
        'sortBy=LAST_MODIFIED',
      ].join('&')
      const operation = 'posts.list'
      const call = { path: '/posts', query, restMethod: 'FINDER', operation, items: count } as const
      const { elements, paging } = await api.read(ctx, tokenOf(ctx), call, Elements)
      const read = readEntries(ctx, elements, WHO, readPost)
      const posts = distinctBy(read, (post) => post.platformPostId)
      const hasMore = elements.length >= count || paging.links.some(({ rel }) => rel === 'next')
      return {
        posts: await withMetrics(ctx, account, posts, operation),
        nextCursor: elements.length > 0 && hasMore ? String(start + elements.length) : null,
      }
    },

    // Statistics leave out what had no activity, so that the posts themselves are asked who is still there.
    async refreshPosts(ctx, { account }, known) {
      if (account === null) throw new PlatformError('bad_request', 'Posts of LinkedIn are read page by page.')
      const wanted = momentsOf(known.filter(({ id }) => postUrnKind(id) !== null))
      const posts: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const ids = batch.map(([id]) => id)
        const query = `ids=${encodeList(ids)}`
        const operation = 'posts.refresh'
        const call = { path: '/posts', query, restMethod: 'BATCH_GET', operation, items: ids.length } as const
        const { results, errors } = await api.read(ctx, tokenOf(ctx), call, Batch)
        leaveOutagesOpen(ctx, ids, results, errors)
        const read = readKnownPosts(ctx, Object.values(results), WHO, new Map(batch), readPost)
        const asked = distinctBy(read, (post) => post.platformPostId)
        posts.push(...(await withMetrics(ctx, account, asked, operation)))
      }
      return posts
    },
  }
}

/** How LinkedIn calls the page that was typed or pasted: by its id, URN, or name in its address. */
function requirePage(input: string): string {
  if (/linkedin\.com\/(?:in|pub)\/|urn:li:(?:person|member):/iu.test(input))
    throw new PlatformError(
      'bad_request',
      'This is a personal profile: LinkedIn lets only company pages be read, by their administrators.',
    )
  const school = /linkedin\.com\/school\/([^/?#\s]+)/iu.exec(input)?.[1]
  const name = readAccountName(school ?? input, 'linkedin', /^[\p{L}\p{N}\p{M}_&'-]{1,120}$/u)
  if (name !== null) return name
  throw refuseInput(
    input,
    'linkedin',
    'A LinkedIn page is named like adacharts, by its address, or by its number.',
  )
}

function readCursor(cursor: string | null): number {
  if (cursor === null) return 0
  if (/^\d{1,9}$/u.test(cursor)) return Number(cursor)
  throw new PlatformError('bad_request', 'The cursor is not valid.')
}

/** A post that could not be looked up is not gone. @throws PlatformError `transient` where none could be */
function leaveOutagesOpen(
  ctx: ConnectorContext,
  ids: readonly string[],
  results: Record<string, unknown>,
  errors: Record<string, unknown>,
): void {
  const failed = Object.entries(errors).flatMap(([id, error]) => {
    const status = BatchError.safeParse(error).data?.status ?? 0
    return status >= 500 || status === 429 ? [{ id, status }] : []
  })
  const [first] = failed
  if (first === undefined) return
  if (failed.length >= ids.length)
    throw new PlatformError('transient', `${WHO} could not look up any post at the moment.`, {
      status: first.status,
    })
  // Where it does not say which, it may be any that is missing.
  const named = failed.map(({ id }) => id).filter((id) => ids.includes(id))
  const open = named.length === failed.length ? named : ids.filter((id) => !Object.hasOwn(results, id))
  for (const id of open) ctx.leaveOpen(id)
}
