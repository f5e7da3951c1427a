import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ZodError } from 'zod'
import { runAction } from './actions.ts'
import { createBlueskyHandler } from './bluesky.ts'
import { InterventionError } from './interventions.ts'
import { createMastodonHandler } from './mastodon.ts'
import {
  blueskyErrorSchema,
  blueskyFeedSchema,
  blueskyPostsSchema,
  blueskyProfileSchema,
  DAY_MS,
  get,
  MINUTE_MS,
  mastodonAccountSchema,
  mastodonErrorSchema,
  mastodonStatusesSchema,
  mastodonStatusSchema,
  NOON,
} from './test-kit.ts'
import type { PlatformName } from './types.ts'
import { createWorld } from './world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'platforms-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function setUp() {
  let now = NOON
  const stateFile = join(folder, 'state', 'interventions.jsonl')
  const open = () => createWorld({ seed: 'interventions', now: () => now, stateFile })
  const world = open()
  const act = (verb: string, body: unknown) => runAction(world, verb, body)[0]
  const account = (platform: PlatformName, handle: string) => {
    const found = world.account(platform, handle)
    if (!found) throw new Error(`${handle} is missing`)
    return found
  }
  const museum = account('bluesky', 'everydaymuseum.example.org')
  const radio = account('mastodon', 'radiomarea')
  const newest = (platform: PlatformName) =>
    world.posts(platform === 'bluesky' ? museum : radio, {
      t: NOON,
      limit: 1,
      where: (entry) => entry.kind === 'post',
    })[0]?.post ?? fail()
  return {
    world,
    open,
    stateFile,
    act,
    museum,
    radio,
    newest,
    bluesky: createBlueskyHandler(world),
    mastodon: createMastodonHandler(world),
    advance: (ms: number) => (now += ms),
  }
}

function fail(): never {
  throw new Error('There is no post')
}

const profilePath = (actor: string) => `/xrpc/app.bsky.actor.getProfile?actor=${actor}`
const feedPath = (actor: string) => `/xrpc/app.bsky.feed.getAuthorFeed?actor=${actor}`
const postPath = (uri: string) => `/xrpc/app.bsky.feed.getPosts?uris=${encodeURIComponent(uri)}`

describe('Counts', () => {
  test('rise and fall from the moment of the intervention, and not before', () => {
    const { world, act, newest, advance } = setUp()
    const post = newest('bluesky')
    const untouched = createWorld({ seed: 'interventions', now: () => NOON })
    act('like', { post: post.id, count: 40 })
    advance(MINUTE_MS)
    act('unlike', { post: post.id, count: 3 })
    act('adjust', { post: post.id, replies: 2, reposts: 5, quotes: 1, bookmarks: 7 })
    const organic = (t: number) => untouched.metricsAt(post.account.platform, post.id, t) ?? fail()
    expect(world.metricsAt(post.account.platform, post.id, NOON - 1)).toEqual(organic(NOON - 1))
    expect(world.metricsAt(post.account.platform, post.id, NOON)?.likes).toBe(organic(NOON).likes + 40)
    const after = organic(NOON + DAY_MS)
    expect(world.metricsAt(post.account.platform, post.id, NOON + DAY_MS)).toEqual({
      likes: after.likes + 37,
      replies: after.replies + 2,
      reposts: after.reposts + 5,
      quotes: after.quotes + 1,
      bookmarks: after.bookmarks + 7,
      views: 0,
      reach: 0,
    })
  })

  test('never fall below 0, and a like after that counts', () => {
    const { world, act, newest } = setUp()
    const post = newest('mastodon')
    act('unlike', { post: post.id, count: 100_000 })
    expect(world.metricsAt(post.account.platform, post.id, NOON)?.likes).toBe(0)
    act('like', { post: post.id, count: 2 })
    expect(world.metricsAt(post.account.platform, post.id, NOON)?.likes).toBe(2)
  })

  test('of followers change too', () => {
    const { world, act, radio } = setUp()
    const { followers } = world.profileAt(radio, NOON)
    act('follow', { platform: 'mastodon', account: 'radiomarea', count: 12 })
    act('unfollow', { account: radio.id, count: 2 })
    expect(world.profileAt(radio, NOON).followers).toBe(followers + 10)
    expect(world.profileAt(radio, NOON - DAY_MS).followers).toBe(
      createWorld({ seed: 'interventions', now: () => NOON }).profileAt(radio, NOON - DAY_MS).followers,
    )
  })
})

describe('Publishing', () => {
  test('puts a post at the top of the feed, with facets, and counts it; it stands still unless told to grow', async () => {
    const { world, act, bluesky, museum, advance } = setUp()
    const before = world.profileAt(museum, NOON).posts
    const still = act('publish', {
      account: museum.handle,
      text: 'Neu: «Größe» #Héritage',
      hashtags: ['héritage', 'Ünique'],
    })
    advance(1_000)
    const growing = act('publish', { account: museum.handle, text: 'Growing', growth: 'organic' })
    const [first, second] = (await get(bluesky, feedPath(museum.id)))
      .as(blueskyFeedSchema)
      .feed.map((entry) => entry.post)
    expect([first?.uri, second?.uri]).toEqual([growing?.postId, still?.postId])
    expect(second?.record.text).toBe('Neu: «Größe» #Héritage #Ünique')
    expect(second?.record.facets?.map((facet) => facet.index)).toEqual([
      { byteStart: 17, byteEnd: 27 },
      { byteStart: 28, byteEnd: 36 },
    ])
    expect(world.profileAt(museum, NOON + 1_000).posts).toBe(before + 2)
    advance(2 * DAY_MS)
    const posts = (await get(bluesky, `${postPath(still?.postId ?? '')}&uris=${growing?.postId}`)).as(
      blueskyPostsSchema,
    ).posts
    expect(posts.map((post) => post.likeCount > 0)).toEqual([false, true])
  })

  test('of several posts at one moment shows them all', async () => {
    const { act, bluesky, museum } = setUp()
    const ids = ['One', 'Two', 'Three'].map((text) => act('publish', { account: museum.id, text })?.postId)
    expect(new Set(ids).size).toBe(3)
    const { feed } = (await get(bluesky, `${feedPath(museum.id)}&limit=3`)).as(blueskyFeedSchema)
    expect(feed.map((entry) => entry.post.uri).toSorted()).toEqual(ids.toSorted())
  })

  test('makes replies and quotes, and boosts make feed entries', async () => {
    const { act, mastodon, newest, radio } = setUp()
    const post = newest('mastodon')
    const reply = act('publish', {
      account: 'mastodon:isobardesk',
      text: '@radiomarea ¡Gracias!',
      replyToId: post.id,
    })
    const quote = act('publish', { account: 'mastodon:isobardesk', text: 'Escuchad', quotedId: post.id })
    const boost = act('boost', { account: 'mastodon:isobardesk', post: post.id })
    const read = async (id = '') => (await get(mastodon, `/api/v1/statuses/${id}`)).as(mastodonStatusSchema)
    expect(await read(reply?.postId)).toMatchObject({
      in_reply_to_id: post.id,
      in_reply_to_account_id: radio.id,
      mentions: [{ acct: 'radiomarea' }],
    })
    expect((await read(quote?.postId)).quote).toMatchObject({
      state: 'accepted',
      quoted_status: { id: post.id },
    })
    expect((await read(boost?.postId)).reblog?.id).toBe(post.id)
  })

  test('refuses what the platform would refuse', () => {
    const { act, museum, newest } = setUp()
    expect(() => act('publish', { account: museum.id, text: 'x'.repeat(301) })).toThrow(InterventionError)
    expect(() => act('publish', { account: museum.id, text: '' })).toThrow(ZodError)
    expect(() =>
      act('publish', { account: 'isobardesk.example.org', text: 'Hi', replyToId: 'at://nothing' }),
    ).toThrow(/No post/)
    expect(() => act('publish', { account: museum.id, text: 'Old', at: 0 })).toThrow(/beginning of the world/)
    expect(() => act('publish', { account: 'nobody', text: 'Hi' })).toThrow(/No account/)
    expect(() => act('edit', { post: newest('bluesky').id, text: 'Other' })).toThrow(
      /no such edit on bluesky/,
    )
    expect(() => act('publish', { account: 'isobardesk', text: 'Which?' })).toThrow(/several platforms/)
    expect(() => act('move', { account: museum.id, to: 'radiomarea' })).toThrow(InterventionError)
    expect(() => act('deactivate', { platform: 'mastodon', account: 'radiomarea' })).toThrow(
      /no such status on mastodon/,
    )
    expect(() => act('like', { post: 'at://did:plc:x/app.bsky.feed.post/y' })).toThrow(/No post/)
    expect(() => act('toString', {})).toThrow(/Unknown verb/)
  })
})

describe('Deleting and editing', () => {
  test('a deleted post is silently missing, leaves the number of posts, and its quotes say so', async () => {
    const { world, act, bluesky, museum, newest } = setUp()
    const post = newest('bluesky')
    const before = world.profileAt(museum, NOON).posts
    const quote = act('publish', { account: 'imanivale.example.social', text: 'Look', quotedId: post.id })
    act('delete', { post: `https://bsky.app/profile/${museum.id}/post/${post.id.split('/').at(-1)}` })
    expect((await get(bluesky, postPath(post.id))).as(blueskyPostsSchema).posts).toEqual([])
    const { feed } = (await get(bluesky, feedPath(museum.id))).as(blueskyFeedSchema)
    expect(feed.map((entry) => entry.post.uri)).not.toContain(post.id)
    expect(world.profileAt(museum, NOON).posts).toBe(before - 1)
    const [quoting] = (await get(bluesky, postPath(quote?.postId ?? ''))).as(blueskyPostsSchema).posts
    expect(quoting?.embed?.record?.$type).toBe('app.bsky.embed.record#viewNotFound')
    expect(world.post(post.account.platform, post.id)?.deletedAt).toBe(NOON)
    expect(world.post(post.account.platform, post.id, NOON - 1)?.deletedAt).toBeUndefined()
  })

  test('a post that was boosted disappears from the booster’s feed and count', () => {
    const { world, act } = setUp()
    const boosted = world
      .accounts('mastodon')
      .flatMap((account) => world.posts(account, { t: NOON, limit: 200 }))
      .find((entry) => entry.kind === 'repost')
    if (!boosted) fail()
    const before = world.profileAt(boosted.account, NOON).posts
    act('delete', { post: boosted.post.id })
    expect(world.posts(boosted.account, { t: NOON, limit: 300 }).map((entry) => entry.id)).not.toContain(
      boosted.id,
    )
    expect(world.profileAt(boosted.account, NOON).posts).toBe(before - 1)
  })

  test('an edited status shows the new text, its tags and when', async () => {
    const { act, mastodon, newest, advance } = setUp()
    const post = newest('mastodon')
    advance(MINUTE_MS)
    act('edit', { post: post.id, text: 'Corregido #Nuevo' })
    const status = (await get(mastodon, `/api/v1/statuses/${post.id}`)).as(mastodonStatusSchema)
    expect(status.content).toContain('Corregido')
    expect(status.tags.map((tag) => tag.name)).toEqual(['nuevo'])
    expect(status.edited_at).toBe(new Date(NOON + MINUTE_MS).toISOString())
  })
})

describe('Accounts', () => {
  test('on Bluesky are renamed, suspended, deactivated, deleted and restored', async () => {
    const { act, bluesky, museum } = setUp()
    act('rename', { account: museum.handle, handle: 'things.example.org', displayName: 'Things' })
    expect((await get(bluesky, profilePath(museum.handle))).status).toBe(400)
    const renamed = (await get(bluesky, profilePath('things.example.org'))).as(blueskyProfileSchema)
    expect([renamed.did, renamed.displayName]).toEqual([museum.id, 'Things'])
    expect(() => act('rename', { account: museum.id, handle: 'isobardesk.example.org' })).toThrow(/taken/)
    const expected = {
      suspend: 'AccountTakedown',
      deactivate: 'AccountDeactivated',
      'delete-account': 'InvalidRequest',
    }
    for (const [verb, error] of Object.entries(expected)) {
      act(verb, { account: museum.id })
      for (const path of [profilePath(museum.id), feedPath(museum.id)]) {
        const reply = await get(bluesky, path)
        expect([reply.status, reply.as(blueskyErrorSchema).error]).toEqual([400, error])
      }
    }
    act('restore', { account: museum.id })
    expect((await get(bluesky, feedPath(museum.id))).as(blueskyFeedSchema).feed.length).toBeGreaterThan(10)
  })

  test('on Mastodon are suspended with zeros, moved and deleted', async () => {
    const { world, act, mastodon, radio, newest } = setUp()
    const status = newest('mastodon')
    const path = `/api/v1/accounts/${radio.id}`
    const account = async () => (await get(mastodon, path)).as(mastodonAccountSchema)
    act('move', { account: 'radiomarea', to: 'opentrail' })
    expect((await account()).moved?.id).toBe(world.account('mastodon', 'opentrail')?.id)
    act('suspend', { platform: 'mastodon', account: 'radiomarea' })
    expect(await account()).toMatchObject({
      suspended: true,
      followers_count: 0,
      statuses_count: 0,
      last_status_at: null,
    })
    const statuses = await get(mastodon, `${path}/statuses`)
    expect(statuses.as(mastodonStatusesSchema)).toEqual([])
    expect((await get(mastodon, `/api/v1/statuses/${status.id}`)).status).toBe(404)
    act('delete-account', { platform: 'mastodon', account: 'radiomarea' })
    expect((await get(mastodon, path)).status).toBe(404)
    expect((await get(mastodon, '/api/v1/accounts/lookup?acct=radiomarea')).status).toBe(404)
  })
})

describe('Faults', () => {
  test('outages answer their status for their time, on their paths, in the platform’s form or as HTML', async () => {
    const { act, bluesky, mastodon, museum, advance } = setUp()
    act('outage', { platform: 'bluesky', status: 502, durationMs: MINUTE_MS, pathIncludes: 'getProfile' })
    act('outage', { platform: 'mastodon', durationMs: MINUTE_MS, isHtml: true })
    const profile = await get(bluesky, profilePath(museum.id))
    expect([profile.status, profile.as(blueskyErrorSchema).error]).toEqual([502, 'UpstreamFailure'])
    expect((await get(bluesky, feedPath(museum.id))).status).toBe(200)
    const page = await get(mastodon, '/api/v2/instance')
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html'])
    advance(MINUTE_MS)
    expect((await get(bluesky, profilePath(museum.id))).status).toBe(200)
    expect((await get(mastodon, '/api/v2/instance')).status).toBe(200)
  })

  test('a squeeze lowers the limit, a truncated body is no JSON, slow answers come late, and all can be cleared', async () => {
    const { act, bluesky, mastodon, museum } = setUp()
    act('squeeze', { platform: 'mastodon', limit: 1 })
    act('truncate', { platform: 'bluesky' })
    act('slow', { platform: 'bluesky', delayMs: 60 })
    expect((await get(mastodon, '/api/v2/instance')).headers.get('x-ratelimit-limit')).toBe('1')
    const refused = await get(mastodon, '/api/v2/instance')
    expect([refused.status, refused.as(mastodonErrorSchema).error]).toEqual([429, 'Too many requests'])
    const startedAt = performance.now()
    const cut = await get(bluesky, profilePath(museum.id))
    expect(performance.now() - startedAt).toBeGreaterThan(50)
    expect(() => cut.as(blueskyProfileSchema)).toThrow(SyntaxError)
    act('clear', {})
    expect((await get(bluesky, profilePath(museum.id))).as(blueskyProfileSchema).did).toBe(museum.id)
    expect((await get(mastodon, '/api/v2/instance')).status).toBe(200)
  })

  test('an unforeseen error is answered with 500 in the platform’s form', async () => {
    const { world } = setUp()
    const broken = { ...world, account: () => fail() }
    const [bluesky, mastodon] = [createBlueskyHandler(broken), createMastodonHandler(broken)]
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const reply = await get(bluesky, profilePath('x.example.com'))
    expect([reply.status, reply.as(blueskyErrorSchema).error]).toEqual([500, 'InternalServerError'])
    expect((await get(mastodon, '/api/v1/accounts/1')).status).toBe(500)
    expect(logged).toHaveBeenCalledTimes(2)
    logged.mockRestore()
  })
})

describe('A restarted world', () => {
  test('remembers every intervention, also behind a line that a crash cut off', () => {
    const { world, open, stateFile, act, museum, newest, advance } = setUp()
    const post = newest('bluesky')
    act('like', { post: post.id, count: 5 })
    const published = act('publish', { account: museum.id, text: 'Kept #Kept' })
    act('rename', { account: museum.id, displayName: 'Kept' })
    appendFileSync(stateFile, '{"verb":"adj')
    advance(MINUTE_MS)
    const second = open()
    runAction(second, 'like', { post: published?.postId, count: 4 })
    const third = open()
    expect(third.interventions()).toHaveLength(4)
    const t = NOON + 2 * MINUTE_MS
    expect(third.metricsAt(post.account.platform, post.id, t)).toEqual(
      world.metricsAt(post.account.platform, post.id, t),
    )
    expect(third.post('bluesky', published?.postId ?? '', t)).toMatchObject({
      text: 'Kept #Kept',
      metrics: { likes: 4 },
    })
    expect(third.profileAt(museum, t)).toEqual(world.profileAt(museum, t))
  })
})
