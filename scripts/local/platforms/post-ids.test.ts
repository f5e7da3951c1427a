import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { accountIdOf } from './account-ids.ts'
import { parsePostId, postIdOf } from './post-ids.ts'
import { elementAt } from './random.ts'
import { NOON } from './test-kit.ts'
import type { AccountSpec, PlatformName } from './types.ts'
import { createWorld } from './world.ts'

const world = createWorld({ seed: 'ids', now: () => NOON })

const POST_IDS: Record<PlatformName, RegExp> = {
  bluesky: /^at:\/\/did:plc:[a-z2-7]{24}\/app\.bsky\.feed\.post\/[2-7a-z]{13}$/,
  mastodon: /^\d{16,19}$/,
  youtube: /^[A-Za-z0-9_-]{11}$/,
  x: /^\d{18,19}$/,
  instagram: /^18\d{17}$/,
  facebook: /^\d{15}_\d{15,18}$/,
  threads: /^18\d{17}$/,
  tiktok: /^\d{19}$/,
  linkedin: /^urn:li:(share|ugcPost):\d{19}$/,
  reddit: /^t3_[0-9a-z]{10,12}$/,
}

const ACCOUNT_IDS: Record<PlatformName, RegExp> = {
  bluesky: /^did:plc:[a-z2-7]{24}$/,
  mastodon: /^\d{16,19}$/,
  youtube: /^UC[A-Za-z0-9_-]{22}$/,
  x: /^1\d{18}$/,
  instagram: /^17841\d{12}$/,
  facebook: /^1\d{14}$/,
  threads: /^26\d{15}$/,
  tiktok: /^-000[A-Za-z0-9_-]{32}$/,
  linkedin: /^\d{9}$/,
  reddit: /^t[25]_[0-9a-z]{9}$/,
}

describe.each(PLATFORMS)('post ids of %s', (platform) => {
  const { id: accountId } = elementAt(world.accounts(platform), 0)
  const sources = fc.record({
    atMs: fc.integer({ min: Date.UTC(2016, 0), max: Date.UTC(2040, 0) }),
    sequence: fc.integer({ min: 0, max: 65_535 }),
    salt: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  })

  test('have the platform’s form and give back their moment and author', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const id = postIdOf(platform, { ...source, accountId })
        expect(id).toMatch(POST_IDS[platform])
        expect(parsePostId(platform, id)).toEqual(
          platform === 'bluesky'
            ? { atMs: source.atMs, sequence: undefined, accountId }
            : { atMs: source.atMs, sequence: source.sequence, accountId: undefined },
        )
      }),
    )
  })

  test('differ where the moment or the author does', () => {
    fc.assert(
      fc.property(sources, sources, (one, other) => {
        fc.pre(one.atMs !== other.atMs || (one.sequence !== other.sequence && platform !== 'bluesky'))
        expect(postIdOf(platform, { ...one, accountId })).not.toBe(
          postIdOf(platform, { ...other, accountId }),
        )
      }),
    )
  })

  test('that are none have no parts', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parsePostId(platform, `?${text}`)).toBeUndefined()
      }),
    )
  })

  test('lead back to every post and repost of the world', () => {
    for (const account of world.accounts(platform)) {
      expect(account.id).toMatch(ACCOUNT_IDS[platform])
      const feed = world.posts(account, { t: NOON, limit: 200 })
      expect(feed.length).toBeGreaterThan(10)
      for (const entry of feed) {
        expect(entry.id).toMatch(POST_IDS[platform])
        expect(world.entry(platform, entry.id, NOON)).toEqual(entry)
        expect(world.post(platform, entry.post.id, NOON)).toEqual(entry.post)
      }
    }
  })
})

test('YouTube ids have one spelling only', () => {
  const id = postIdOf('youtube', { atMs: NOON, sequence: 7, accountId: '', salt: 1 })
  const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
    .map((last) => id.slice(0, -1) + last)
    .filter((other) => Buffer.from(other, 'base64url').equals(Buffer.from(id, 'base64url')))
  expect(spellings.length).toBeGreaterThan(1)
  expect(spellings.filter((other) => parsePostId('youtube', other))).toEqual([id])
})

test('about a quarter of LinkedIn posts are of the other kind', () => {
  const posts = world
    .accounts('linkedin')
    .flatMap((account) => world.posts(account, { t: NOON, limit: Number.POSITIVE_INFINITY }))
  const share = posts.filter(({ id }) => id.startsWith('urn:li:ugcPost:')).length / posts.length
  expect(share).toBeGreaterThan(0.1)
  expect(share).toBeLessThan(0.4)
})

test('account ids depend on the seed and the key, and no two of a large world are the same', () => {
  const spec: AccountSpec = elementAt(world.accounts('youtube'), 0)
  expect(accountIdOf('ids', spec)).toBe(accountIdOf('ids', { ...spec, followers: 1 }))
  expect(accountIdOf('ids', spec)).not.toBe(accountIdOf('other', spec))
  const counts = Object.fromEntries(PLATFORMS.map((platform) => [platform, 40]))
  const large = createWorld({ seed: 'large', now: () => NOON, accounts: counts }).accounts()
  expect(new Set(large.map(({ id }) => id)).size).toBe(40 * PLATFORMS.length)
  for (const platform of PLATFORMS) {
    const handles = large.filter((one) => one.platform === platform).map(({ handle }) => handle)
    expect(new Set(handles).size).toBe(40)
    for (const handle of handles)
      expect(handle).toMatch(platform === 'x' ? /^[a-z0-9_]{1,15}$/ : /^[a-z0-9.]+$/)
  }
})
