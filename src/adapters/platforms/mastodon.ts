import { type MastodonAddress, parseMastodonAddress, platformOfAddress } from '../../domain/platform-input.ts'
import { type AccountProfile, type PlatformConnector, PlatformError, type PlatformPost } from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts } from './entries.ts'
import { chunksOf, distinctBy } from './fields.ts'
import { isData } from './http.ts'
import { refuseInput } from './input.ts'
import type { RuleOf } from './limits.ts'
import {
  readAccount,
  resolveAccount,
  resolveWithToken,
  toAccountProfile,
  verifyToken,
} from './mastodon-account.ts'
import { createMastodonApi, mastodonFailure, type Parameters } from './mastodon-api.ts'
import { readStatus } from './mastodon-status.ts'

const PAGE_SIZE = 40
const STATUS_BATCH_SIZE = 20
const ACCOUNT_BATCH_SIZE = 40
/** What leads to another page; a cursor without one would lead to the first page again. */
const PAGE_PARAMETERS = ['max_id', 'min_id', 'since_id', 'page', 'offset', 'cursor']

export interface MastodonOptions {
  /**
   * Set where private hosts are allowed: those are called over http, and their names may carry a port
   * (`ada@127.0.0.1:3000`).
   */
  allowHttp: boolean
  userAgent: string
  ruleOf: RuleOf
}

/**
 * Reads public posts of any server that speaks Mastodon's API; with a token also of those that show them to
 * their users alone. Posts for chosen readers are left out either way.
 */
export function createMastodonConnector(options: MastodonOptions): PlatformConnector {
  const api = createMastodonApi(options)

  return {
    platform: 'mastodon',
    refreshBatchSize: STATUS_BATCH_SIZE,
    profileBatchSize: ACCOUNT_BATCH_SIZE,
    batchBy: 'host',

    async resolve(ctx, input) {
      return resolveAccount(ctx, api, requireAddress(input))
    },

    tokens: {
      resolve: async (ctx, input, token) => resolveWithToken(ctx, api, requireAddress(input), token),
      verify: (ctx, accessToken) => verifyToken(ctx, api, accessToken),
    },

    async fetchProfiles(ctx, accounts) {
      const profiles: AccountProfile[] = []
      for (const [host, ofHost] of Map.groupBy(accounts, (account) => requireHost(account.host))) {
        const known = new Map(ofHost.map((account) => [account.externalId, account]))
        for (const ids of chunksOf([...known.keys()], ACCOUNT_BATCH_SIZE)) {
          const found = await api.getMany(ctx, host, 'accounts', ids)
          const read = readEntries(ctx, found, `the server ${host}`, (entry) => {
            const account = readAccount(entry)
            const ref = account === null ? undefined : known.get(account.id)
            if (account === null || ref === undefined) return null
            return toAccountProfile(account, host, parseMastodonAddress(ref.handle)?.host ?? host)
          })
          profiles.push(...read)
        }
      }
      return distinctBy(profiles, (profile) => `${profile.host} ${profile.externalId}`)
    },

    async fetchPosts(ctx, account, cursor) {
      const host = requireHost(account.host)
      const path = `/api/v1/accounts/${encodeURIComponent(account.externalId)}/statuses`
      const answer = await api.get(ctx, host, {
        path,
        parameters: pageParameters(cursor),
        operation: 'posts.list',
        items: PAGE_SIZE,
        isPaged: cursor !== null,
      })
      if (!isData(answer)) throw mastodonFailure(ctx, answer, host)
      if (!Array.isArray(answer.json))
        throw new PlatformError('bad_answer', `The answer of the server ${host} is no list of posts.`)
      const entries: unknown[] = answer.json
      const next = nextCursor(answer.headers.get('link'), answer.url)
      return {
        posts: distinctBy(
          readEntries(ctx, entries, `the server ${host}`, readStatus),
          (post) => post.platformPostId,
        ),
        // A cursor that stands still would be followed for ever.
        nextCursor: next === cursor ? null : next,
      }
    },

    async refreshPosts(ctx, { host }, known) {
      const server = requireHost(host)
      const wanted = momentsOf(known.filter(({ id }) => /^[\w-]{1,64}$/u.test(id)))
      const posts: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], STATUS_BATCH_SIZE)) {
        const ids = batch.map(([id]) => id)
        const found = await api.getMany(ctx, server, 'statuses', ids)
        posts.push(...readKnownPosts(ctx, found, `the server ${server}`, new Map(batch), readStatus))
      }
      return distinctBy(posts, (post) => post.platformPostId)
    },
  }
}

function requireAddress(input: string): MastodonAddress {
  const address = parseMastodonAddress(input)
  // Some platforms' addresses have the same form, and no server of Mastodon's behind them.
  if (address !== null && platformOfAddress(input) === null) return address
  throw refuseInput(
    input,
    'mastodon',
    'A Mastodon account is named like ada@social.example, or by its profile address.',
  )
}

function requireHost(host: string | null): string {
  if (host === null)
    throw new PlatformError('bad_request', 'A Mastodon account needs the name of its server.')
  return host
}

/**
 * A cursor is the query of the next page's address, as the server gave it. Its host and path are ours to
 * know: a server behind a proxy may name itself wrongly, and must not send us elsewhere.
 */
function pageParameters(cursor: string | null): Parameters {
  if (cursor === null) return [['limit', String(PAGE_SIZE)]]
  const parameters = new URLSearchParams(cursor)
  if (!PAGE_PARAMETERS.some((name) => parameters.has(name)))
    throw new PlatformError('bad_request', 'The cursor is not valid.')
  if (!parameters.has('limit')) parameters.set('limit', String(PAGE_SIZE))
  return [...parameters]
}

function nextCursor(link: string | null, base: URL): string | null {
  for (const [, address, attributes] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/gu)) {
    if (!/;\s*rel\s*=\s*"?(?:[\w-]+\s+)*next\b/iu.test(attributes ?? '')) continue
    const query = URL.parse(address ?? '', base.href)?.searchParams
    if (query !== undefined && PAGE_PARAMETERS.some((name) => query.has(name))) return query.toString()
  }
  return null
}
