import { z } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { deltasSchema, type FaultEffect, InterventionError, publicationSchema } from './interventions.ts'
import { hashtagsOf } from './rich-text.ts'
import type { Account, PlatformName, PostView } from './types.ts'
import type { World } from './world.ts'
import type { Applied } from './world-apply.ts'

/** What can be done to the world by name, with references that a person would write. */

const DEFAULT_FAULT_MS = 60_000

/** Epoch milliseconds or RFC 3339. */
export const momentSchema = z.union([
  z.coerce.number().int().nonnegative(),
  z.iso.datetime({ offset: true }).transform(Date.parse),
])

const platform = z.enum(PLATFORMS)
const when = { at: momentSchema.optional() }
const onPost = { ...when, platform: platform.optional(), post: z.string() }
const onAccount = { ...when, platform: platform.optional(), account: z.string() }
const counted = z.number().int().positive().default(1)
const onPlatform = {
  ...when,
  platform,
  durationMs: z.number().int().positive().default(DEFAULT_FAULT_MS),
  pathIncludes: z.string().optional(),
}

const countSchema = z.object({ ...onPost, count: counted })
const followSchema = z.object({ ...onAccount, count: counted })
const accountSchema = z.object(onAccount)

type Action = (world: World, body: unknown) => Applied[]

const ACTIONS: Record<string, Action> = {
  like: changeCount('likes', 1),
  unlike: changeCount('likes', -1),
  repost: changeCount('reposts', 1),
  reply: changeCount('replies', 1),
  quote: changeCount('quotes', 1),
  bookmark: changeCount('bookmarks', 1),
  adjust: (world, body) => {
    const {
      at,
      post,
      platform: wanted,
      ...deltas
    } = z.object({ ...onPost, ...deltasSchema.shape }).parse(body)
    const { id, account } = findPost(world, post, wanted)
    return [world.apply({ verb: 'adjust', platform: account.platform, postId: id, deltas, ...given(at) })]
  },
  follow: changeFollowers(1),
  unfollow: changeFollowers(-1),
  publish: (world, body) => {
    const schema = z.object({
      ...onAccount,
      hashtags: z.array(z.string()).default([]),
      ...publicationSchema.shape,
    })
    const { at, account: reference, platform: wanted, hashtags, ...publication } = schema.parse(body)
    const account = findAccount(world, reference, wanted)
    const text = withHashtags(publication.text, hashtags)
    return [
      world.apply({
        verb: 'publish',
        platform: account.platform,
        accountId: account.id,
        publication: { ...publication, text },
        ...given(at),
      }),
    ]
  },
  boost: (world, body) => {
    const {
      at,
      platform: wanted,
      account: reference,
      post,
    } = z.object({ ...onAccount, ...onPost }).parse(body)
    const original = findPost(world, post, wanted)
    const account = findAccount(world, reference, wanted ?? original.account.platform)
    const { platform } = account
    return [
      world.apply({ verb: 'boost', platform, accountId: account.id, postId: original.id, ...given(at) }),
    ]
  },
  delete: (world, body) => {
    const { at, post, platform: wanted } = z.object(onPost).parse(body)
    const { id, account } = findPost(world, post, wanted)
    return [world.apply({ verb: 'delete', platform: account.platform, postId: id, ...given(at) })]
  },
  edit: (world, body) => {
    const schema = z.object({ ...onPost, text: z.string().min(1) })
    const { at, post, text, platform: wanted } = schema.parse(body)
    const { id, account } = findPost(world, post, wanted)
    return [world.apply({ verb: 'edit', platform: account.platform, postId: id, text, ...given(at) })]
  },
  rename: (world, body) => {
    const schema = z.object({
      ...onAccount,
      handle: z.string().optional(),
      displayName: z.string().optional(),
    })
    const { at, platform: wanted, account: reference, ...names } = schema.parse(body)
    const account = findAccount(world, reference, wanted)
    return [
      world.apply({
        verb: 'rename',
        platform: account.platform,
        accountId: account.id,
        ...names,
        ...given(at),
      }),
    ]
  },
  move: (world, body) => {
    const { at, account: from, to } = z.object({ ...onAccount, to: z.string() }).parse(body)
    const [accountId, toAccountId] = [from, to].map(
      (reference) => findAccount(world, reference, 'mastodon').id,
    )
    if (accountId === undefined || toAccountId === undefined)
      throw new InterventionError('Two accounts are needed')
    return [world.apply({ verb: 'move', platform: 'mastodon', accountId, toAccountId, ...given(at) })]
  },
  suspend: changeStatus('suspended'),
  deactivate: changeStatus('deactivated'),
  'delete-account': changeStatus('deleted'),
  restore: changeStatus('active'),
  outage: (world, body) => {
    const schema = z.object({
      ...onPlatform,
      status: z.number().int().min(400).max(599).default(503),
      isHtml: z.boolean().default(false),
    })
    const { status, isHtml, ...rest } = schema.parse(body)
    return fault(world, rest, { kind: 'outage', status, isHtml })
  },
  squeeze: (world, body) => {
    const { limit, ...rest } = z.object({ ...onPlatform, limit: z.number().int().nonnegative() }).parse(body)
    return fault(world, rest, { kind: 'squeeze', limit })
  },
  slow: (world, body) => {
    const { delayMs, ...rest } = z
      .object({ ...onPlatform, delayMs: z.number().int().nonnegative() })
      .parse(body)
    return fault(world, rest, { kind: 'slow', delayMs })
  },
  truncate: (world, body) => fault(world, z.object(onPlatform).parse(body), { kind: 'truncate' }),
  burst429: (world, body) => {
    const { seconds, path, ...rest } = z
      .object({ ...onPlatform, seconds: z.number().positive().optional(), path: z.string().optional() })
      .parse(body)
    const durationMs = seconds === undefined ? rest.durationMs : Math.ceil(seconds * 1_000)
    return fault(
      world,
      { ...rest, durationMs, pathIncludes: path ?? rest.pathIncludes },
      { kind: 'burst429' },
    )
  },
  malform: (world, body) => {
    const { path, ...rest } = z.object({ ...onPlatform, path: z.string().optional() }).parse(body)
    return fault(world, { ...rest, pathIncludes: path ?? rest.pathIncludes }, { kind: 'malform' })
  },
  'revoke-tokens': endTokens('revoke-tokens'),
  'expire-tokens': endTokens('expire-tokens'),
  clear: (world, body) => {
    const { at, platform: only } = z.object({ ...when, platform: platform.optional() }).parse(body)
    return (only ? [only] : PLATFORMS).map((name) =>
      world.apply({ verb: 'clear-faults', platform: name, ...given(at) }),
    )
  },
}

/** The verbs that `runAction` knows. */
export const ACTION_VERBS: readonly string[] = Object.keys(ACTIONS)

/**
 * Carries out a verb of the control interface.
 * @throws InterventionError for unknown verbs, accounts and posts, ZodError for a malformed body.
 */
export function runAction(world: World, verb: string, body: unknown): Applied[] {
  const action = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined
  if (!action) throw new InterventionError(`Unknown verb ${verb}; known are ${ACTION_VERBS.join(', ')}`)
  return action(world, body)
}

/**
 * Finds an account by DID, id, handle, key, `@user@host`, or any of these after `platform:`.
 * @throws InterventionError when there is none, or one on several platforms and `wanted` does not say which.
 */
export function findAccount(world: World, reference: string, wanted?: PlatformName): Account {
  const [, before, rest] = /^([a-z]+):(.+)$/.exec(reference) ?? []
  const prefix = PLATFORMS.find((name) => name === before)
  const platforms = PLATFORMS.filter((name) => name === (prefix ?? wanted ?? name))
  const name = ((prefix && rest) ?? reference).replace(/^@/, '')
  const found = platforms.flatMap((platform) => {
    const account =
      world.account(platform, name) ??
      (platform === 'mastodon' && name.includes('@')
        ? world.account(platform, name.split('@')[0] ?? '')
        : world.accounts(platform).find((one) => one.key === name))
    return account ? [account] : []
  })
  const [account, other] = found
  if (!account) throw new InterventionError(`No account ${reference}`)
  if (other) throw new InterventionError(`${reference} is on several platforms: say which with "platform"`)
  return account
}

/** Finds a post by its id, or by the address of its page on Bluesky or Mastodon. @throws InterventionError when there is none. */
function findPost(world: World, reference: string, wanted?: PlatformName): PostView {
  const [, did, key] = /\/profile\/(did:[^/]+)\/post\/([a-z2-7]+)/.exec(reference) ?? []
  const id = did
    ? `at://${did}/app.bsky.feed.post/${key}`
    : (/\/@[^/]+\/(\d+)$/.exec(reference)?.[1] ?? reference)
  const platforms = PLATFORMS.filter((name) => name === (wanted ?? name))
  const [post, other] = platforms.flatMap((name) => world.post(name, id) ?? [])
  if (!post) throw new InterventionError(`No post ${reference}`)
  if (other) throw new InterventionError(`${reference} is on several platforms: say which with "platform"`)
  return post
}

function changeCount(name: keyof z.infer<typeof deltasSchema>, sign: 1 | -1): Action {
  return (world, body) => {
    const { at, post, count, platform: wanted } = countSchema.parse(body)
    const { id, account } = findPost(world, post, wanted)
    const deltas = { [name]: sign * count }
    return [world.apply({ verb: 'adjust', platform: account.platform, postId: id, deltas, ...given(at) })]
  }
}

function changeFollowers(sign: 1 | -1): Action {
  return (world, body) => {
    const { at, account: reference, platform: wanted, count } = followSchema.parse(body)
    const { id, platform } = findAccount(world, reference, wanted)
    return [world.apply({ verb: 'follow', platform, accountId: id, count: sign * count, ...given(at) })]
  }
}

function changeStatus(status: 'active' | 'suspended' | 'deactivated' | 'deleted'): Action {
  return (world, body) => {
    const { at, account: reference, platform: wanted } = accountSchema.parse(body)
    const { id, platform } = findAccount(world, reference, wanted)
    return [world.apply({ verb: 'status', platform, accountId: id, status, ...given(at) })]
  }
}

function endTokens(verb: 'revoke-tokens' | 'expire-tokens'): Action {
  return (world, body) => {
    const schema = z.object({ ...when, platform, account: z.string().optional() })
    const { at, platform: wanted, account } = schema.parse(body)
    const whose = account === undefined ? {} : { accountId: findAccount(world, account, wanted).id }
    return [world.apply({ verb, platform: wanted, ...whose, ...given(at) })]
  }
}

interface FaultRequest {
  at?: number | undefined
  platform: PlatformName
  durationMs: number
  pathIncludes?: string | undefined
}

function fault(world: World, request: FaultRequest, effect: FaultEffect): Applied[] {
  const { platform, durationMs, pathIncludes } = request
  const at = request.at ?? world.now()
  const scope = pathIncludes === undefined ? {} : { pathIncludes }
  return [world.apply({ verb: 'fault', at, platform, untilAt: at + durationMs, ...scope, effect })]
}

/** Tags that the text does not carry yet are written behind it. */
function withHashtags(text: string, hashtags: readonly string[]): string {
  const present = new Set(hashtagsOf(text).map((tag) => tag.toLowerCase()))
  const missing = hashtags
    .map((tag) => tag.replace(/^#/, ''))
    .filter((tag) => !present.has(tag.toLowerCase()))
  return [text, ...missing.map((tag) => `#${tag}`)].join(' ')
}

function given(at: number | undefined): { at?: number } {
  return at === undefined ? {} : { at }
}
