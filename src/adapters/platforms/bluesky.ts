import * as z from 'zod'
import { parseBlueskyActor } from '../../domain/platform-input.ts'
import {
  type AccountProfile,
  type AccountRef,
  type CallOperation,
  type ConnectorContext,
  type PlatformConnector,
  PlatformError,
  type PlatformPost,
} from '../../ports.ts'
import { isPostUri, readFeedEntry, readPost } from './bluesky-post.ts'
import { momentsOf, readEntries, readKnownPosts, readNoting } from './entries.ts'
import { Count, chunksOf, distinctBy, OptionalName, OptionalText, WebAddress } from './fields.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import { refuseInput } from './input.ts'
import type { RuleOf } from './limits.ts'

const WHO = 'Bluesky'
/** Batch methods take at most this many ids. */
const BATCH_SIZE = 25
const PAGE_SIZE = 100
/** Shown in place of a handle whose domain no longer vouches for its account. */
const INVALID_HANDLE = 'handle.invalid'

export interface BlueskyOptions {
  /** The AppView's base address, from the operator's configuration. */
  appViewUrl: string
  userAgent: string
  ruleOf: RuleOf
}

const Profile = z.object({
  did: z.string().startsWith('did:'),
  handle: z.string().min(1),
  displayName: OptionalName,
  avatar: WebAddress,
  followersCount: Count,
  followsCount: Count,
  postsCount: Count,
})

const Profiles = z.object({ profiles: z.array(z.unknown()) })
const Feed = z.object({ feed: z.array(z.unknown()), cursor: OptionalText })
const Posts = z.object({ posts: z.array(z.unknown()) })
const ErrorBody = z.object({ error: z.string().catch(''), message: z.string().catch('') })

const NOT_FOUND = /profile not found|actor not found|unable to resolve handle|could not (?:find|resolve)/iu

/** The error of an answer by Bluesky's own names for it, else by its status. */
function blueskyFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  const { error, message } = ErrorBody.safeParse(answer.json).data ?? { error: '', message: '' }
  if (status >= 400 && status < 500) {
    switch (error) {
      case 'AccountTakedown':
        return new PlatformError('gone', 'This account is suspended on Bluesky.', { status })
      case 'AccountDeactivated':
        return new PlatformError('gone', 'This account is deactivated on Bluesky.', { status })
      case 'ExpiredToken':
      case 'InvalidToken':
        return new PlatformError('auth', 'Bluesky no longer accepts the credential.', { status })
      case 'BlockedActor':
      case 'BlockedByActor':
        return new PlatformError('permission', 'This account does not let us see its posts.', { status })
      case 'RateLimitExceeded':
        return failureOf({ ...answer, status: 429 }, WHO)
      case 'InvalidRequest':
        if (NOT_FOUND.test(message))
          return new PlatformError('gone', 'There is no such account on Bluesky.', { status })
    }
    // No method of ours has a 404 of its own: this is not the address of an AppView.
    if (status === 404)
      return new PlatformError('bad_answer', 'Bluesky does not know this call (HTTP 404).', { status })
  }
  return failureOf(answer, WHO, message || undefined)
}

/** Reads public data through an AppView, without any credential. */
export function createBlueskyConnector(options: BlueskyOptions): PlatformConnector {
  const { appViewUrl, userAgent, ruleOf } = options

  async function call<T>(
    ctx: ConnectorContext,
    { method, operation, items }: { method: string; operation: CallOperation; items: number },
    parameters: [string, string][],
    schema: z.ZodType<T>,
  ): Promise<T> {
    const url = new URL(`xrpc/${method}`, appViewUrl.endsWith('/') ? appViewUrl : `${appViewUrl}/`)
    for (const [name, value] of parameters) url.searchParams.append(name, value)
    const rules = [ruleOf('bluesky.calls')]
    const answer = await callPlatform(ctx, { url: url.href, operation, items, rules, userAgent })
    if (!isData(answer)) throw blueskyFailure(answer)
    const data = readNoting(ctx, answer.json, () => schema.safeParse(answer.json))
    if (data.success) return data.data
    throw new PlatformError('bad_answer', `The answer of ${WHO} to ${method} could not be understood.`, {
      cause: data.error,
    })
  }

  return {
    platform: 'bluesky',
    refreshBatchSize: BATCH_SIZE,
    profileBatchSize: BATCH_SIZE,
    batchBy: 'host',

    async resolve(ctx, input) {
      const actor = parseBlueskyActor(input)
      if (actor === null)
        throw refuseInput(
          input,
          'bluesky',
          'A Bluesky account is named like ada.bsky.social, or by its profile address.',
        )
      const method = { method: 'app.bsky.actor.getProfile', operation: 'account.find', items: 1 } as const
      const profile = await call(ctx, method, [['actor', actor]], Profile)
      return toAccountProfile(profile, profile.did)
    },

    async fetchProfiles(ctx, accounts) {
      const wanted = byExternalId(accounts)
      const found: AccountProfile[] = []
      for (const dids of chunksOf([...wanted.keys()], BATCH_SIZE)) {
        const actors = dids.map((did): [string, string] => ['actors', did])
        const method = { method: 'app.bsky.actor.getProfiles', operation: 'profiles.read' } as const
        const { profiles } = await call(ctx, { ...method, items: dids.length }, actors, Profiles)
        const read = readEntries(ctx, profiles, WHO, (entry) => {
          const profile = Profile.parse(entry)
          const account = wanted.get(profile.did)
          return account === undefined ? null : toAccountProfile(profile, account.handle)
        })
        found.push(...read)
      }
      return distinctBy(found, (profile) => profile.externalId)
    },

    async fetchPosts(ctx, account, cursor) {
      const parameters: [string, string][] = [
        ['actor', account.externalId],
        ['limit', String(PAGE_SIZE)],
        ['filter', 'posts_with_replies'],
        ['includePins', 'false'],
      ]
      if (cursor !== null) parameters.push(['cursor', cursor])
      const method = { method: 'app.bsky.feed.getAuthorFeed', operation: 'posts.list' } as const
      const page = await call(ctx, { ...method, items: PAGE_SIZE }, parameters, Feed)
      return {
        posts: distinctBy(readEntries(ctx, page.feed, WHO, readFeedEntry), (post) => post.platformPostId),
        // A cursor that stands still would be followed for ever.
        nextCursor: page.cursor === '' || page.cursor === cursor ? null : page.cursor,
      }
    },

    // One id that is no URI would fail the whole call: those of reposts and imports are not asked for.
    async refreshPosts(ctx, _scope, known) {
      const wanted = momentsOf(known.filter(({ id }) => isPostUri(id)))
      const found: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], BATCH_SIZE)) {
        const uris = batch.map(([uri]): [string, string] => ['uris', uri])
        const method = { method: 'app.bsky.feed.getPosts', operation: 'posts.refresh' } as const
        const { posts } = await call(ctx, { ...method, items: batch.length }, uris, Posts)
        found.push(...readKnownPosts(ctx, posts, WHO, new Map(batch), readPost))
      }
      return distinctBy(found, (post) => post.platformPostId)
    },
  }
}

function byExternalId(accounts: readonly AccountRef[]): Map<string, AccountRef> {
  return new Map(accounts.map((account) => [account.externalId, account]))
}

/** `knownHandle` stands in while the account's own handle is broken. */
function toAccountProfile(profile: z.infer<typeof Profile>, knownHandle: string): AccountProfile {
  const isBroken = profile.handle === INVALID_HANDLE
  return {
    externalId: profile.did,
    host: null,
    handle: isBroken ? knownHandle : profile.handle,
    displayName: profile.displayName,
    url: `https://bsky.app/profile/${isBroken ? profile.did : profile.handle}`,
    avatarUrl: profile.avatar,
    followers: profile.followersCount,
    following: profile.followsCount,
    posts: profile.postsCount,
  }
}
