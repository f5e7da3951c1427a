import * as z from 'zod'
import {
  type AccountProfile,
  type AccountRef,
  type CallOperation,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
} from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts } from './entries.ts'
import { Count, chunksOf, distinctBy, OptionalName, OptionalText, WebAddress } from './fields.ts'
import { readAccountName, refuseInput } from './input.ts'
import { createRedditApi, type RedditApiOptions, type RedditCall, WHO } from './reddit-api.ts'
import { isPostName, readPost, Thing } from './reddit-post.ts'

export const REDDIT_API_URL = 'https://oauth.reddit.com'
export const REDDIT_SITE_URL = 'https://www.reddit.com'

/** `/api/info` takes, and listings give, at most this many things. */
const BATCH_SIZE = 100

const User = z.object({
  id: z.string().regex(/^[a-z0-9]{1,13}$/u),
  name: z.string().regex(/^[\w-]{1,30}$/u),
  icon_img: WebAddress,
  // Everybody has a page that works like a community; who subscribes to it follows them.
  subreddit: z.object({ title: OptionalName, subscribers: Count }).nullable().catch(null),
})
const Suspended = z.object({ is_suspended: z.literal(true) })

const Community = z.object({
  name: z.string().regex(/^t5_[a-z0-9]{1,13}$/u),
  display_name: z.string().regex(/^\w{1,30}$/u),
  title: OptionalName,
  subscribers: Count,
  community_icon: WebAddress,
  icon_img: WebAddress,
})

const Listing = z.object({
  kind: z.literal('Listing'),
  data: z.object({ after: OptionalText, children: z.array(z.unknown()) }),
})

/** A person or a community, as Reddit writes it. */
type Handle = `${'u' | 'r'}/${string}`

/** Reads public posts of people and communities, with the token of the deployment's own app. */
export function createRedditConnector(options: RedditApiOptions): PlatformConnector {
  const call = createRedditApi(options)

  async function list(ctx: ConnectorContext, request: RedditCall): Promise<z.infer<typeof Listing>['data']> {
    const listing = Listing.safeParse(await call(ctx, request))
    if (listing.success) return listing.data.data
    throw new PlatformError('bad_answer', `The answer of ${WHO} could not be understood.`, {
      cause: listing.error,
    })
  }

  async function readProfile(
    ctx: ConnectorContext,
    handle: Handle,
    operation: CallOperation,
  ): Promise<AccountProfile> {
    const path = `${pathOf(handle)}/about`
    const thing = Thing.safeParse(await call(ctx, { path, parameters: {}, operation, items: 1 })).data
    const isPerson = handle.startsWith('u/')
    // Asked for a community that there is not, it searches for one of that name.
    if (!isPerson && thing?.kind === 'Listing')
      throw new PlatformError('gone', 'There is no such community on Reddit.')
    if (isPerson && Suspended.safeParse(thing?.data).success)
      throw new PlatformError('gone', 'This account is suspended on Reddit.')
    const [profile] = readEntries(ctx, [thing], WHO, isPerson ? readUser : readCommunity)
    if (profile === undefined) throw new PlatformError('bad_answer', `${WHO} answered with something else.`)
    return profile
  }

  async function readCommunities(ctx: ConnectorContext, names: readonly string[]): Promise<AccountProfile[]> {
    const found: AccountProfile[] = []
    for (const batch of chunksOf(names, BATCH_SIZE)) {
      const parameters = { id: batch.join(',') }
      const operation = 'profiles.read'
      const { children } = await list(ctx, { path: '/api/info', parameters, operation, items: batch.length })
      found.push(...readEntries(ctx, children, WHO, readCommunity))
    }
    return found
  }

  return {
    platform: 'reddit',
    refreshBatchSize: BATCH_SIZE,
    // A person's profile is a call of its own.
    profileBatchSize: 1,
    batchBy: 'host',

    async resolve(ctx, input) {
      const name = readAccountName(input, 'reddit', /^[ur]\/[\w-]{2,30}$/u)
      const handle = name === null ? null : asHandle(name)
      if (handle === null)
        throw refuseInput(
          input,
          'reddit',
          'On Reddit a person is named like u/ada, a community like r/dataviz; the address of the page will do.',
        )
      return readProfile(ctx, handle, 'account.find')
    },

    async fetchProfiles(ctx, accounts) {
      const wanted = new Map(accounts.map((account) => [account.externalId, account]))
      const names = [...wanted.keys()]
      const found = await readCommunities(
        ctx,
        names.filter((name) => name.startsWith('t5_')),
      )
      // One after the other: an invocation has few connections, and the app few calls.
      for (const account of wanted.values()) {
        if (account.externalId.startsWith('t5_')) continue
        const profile = await readProfile(ctx, handleOf(account), 'profiles.read').catch(unlessGone)
        if (profile !== null) found.push(profile)
      }
      const ours = found.filter(({ externalId }) => wanted.has(externalId))
      return distinctBy(ours, ({ externalId }) => externalId)
    },

    async fetchPosts(ctx, account, cursor) {
      const handle = handleOf(account)
      const isPerson = handle.startsWith('u/')
      const { after, children } = await list(ctx, {
        path: `${pathOf(handle)}/${isPerson ? 'submitted' : 'new'}`,
        parameters: {
          limit: String(BATCH_SIZE),
          ...(isPerson ? { sort: 'new' } : {}),
          ...(cursor === null ? {} : { after: cursor }),
        },
        operation: 'posts.list',
        items: BATCH_SIZE,
      })
      return {
        posts: distinctBy(readEntries(ctx, children, WHO, readPost), (post) => post.platformPostId),
        // A cursor that stands still would be followed for ever.
        nextCursor: after === '' || after === cursor ? null : after,
      }
    },

    // Whatever is no post's name is not asked for: those of imports.
    async refreshPosts(ctx, _scope, posts) {
      const wanted = momentsOf(posts.filter(({ id }) => isPostName(id)))
      const found: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const parameters = { id: batch.map(([id]) => id).join(',') }
        const operation = 'posts.refresh'
        const { children } = await list(ctx, {
          path: '/api/info',
          parameters,
          operation,
          items: batch.length,
        })
        found.push(...readKnownPosts(ctx, children, WHO, new Map(batch), readPost))
      }
      return distinctBy(found, (post) => post.platformPostId)
    },
  }
}

function asHandle(text: string): Handle | null {
  const [, section, name] = /^(u|r)\/([\w-]{2,30})$/u.exec(text) ?? []
  if (name === undefined) return null
  return section === 'u' ? `u/${name}` : `r/${name}`
}

function handleOf(account: AccountRef): Handle {
  const handle = asHandle(account.handle)
  if (handle === null) throw new PlatformError('bad_request', 'This is not the name of an account on Reddit.')
  return handle
}

function pathOf(handle: Handle): string {
  return handle.startsWith('u/') ? `/user/${handle.slice(2)}` : `/${handle}`
}

function unlessGone(error: unknown): null {
  if (error instanceof PlatformError && error.kind === 'gone') return null
  throw error
}

/** Reads a user; throws when it is malformed. */
function readUser(entry: unknown): AccountProfile | null {
  const { kind, data } = Thing.parse(entry)
  if (kind !== 't2') return null
  const user = User.parse(data)
  return {
    externalId: `t2_${user.id}`,
    host: null,
    handle: `u/${user.name}`,
    displayName: user.subreddit?.title ?? user.name,
    url: `https://www.reddit.com/user/${user.name}`,
    avatarUrl: user.icon_img,
    followers: user.subreddit?.subscribers ?? null,
    following: null,
    posts: null,
  }
}

/** Reads a community; throws when it is malformed. */
function readCommunity(entry: unknown): AccountProfile | null {
  const { kind, data } = Thing.parse(entry)
  if (kind !== 't5') return null
  const community = Community.parse(data)
  return {
    externalId: community.name,
    host: null,
    handle: `r/${community.display_name}`,
    displayName: community.title ?? community.display_name,
    url: `https://www.reddit.com/r/${community.display_name}`,
    avatarUrl: community.community_icon ?? community.icon_img,
    followers: community.subscribers,
    following: null,
    posts: null,
  }
}
