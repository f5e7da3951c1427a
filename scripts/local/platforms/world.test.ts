import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { graphemeLength } from './rich-text.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, NOON } from './test-kit.ts'
import type { FeedEntry } from './types.ts'
import { createWorld, MIN_HISTORY_DAYS, type World } from './world.ts'

const ALL = Number.POSITIVE_INFINITY
const world = createWorld({ seed: 'world', now: () => NOON })

function everything(of: World, t: number): FeedEntry[] {
  return of.accounts().flatMap((account) => of.posts(account, { t, limit: ALL }))
}

/** Everything that one can see of a world at a moment, in 64 characters. */
function digest(of: World, t: number): string {
  const state = of
    .accounts()
    .map((account) => [of.profileAt(account, t), of.posts(account, { t, limit: 50 })])
  return createHash('sha256').update(JSON.stringify(state)).digest('hex')
}

describe('a world', () => {
  test('is the same for the same seed and another for another', () => {
    const twin = createWorld({ seed: 'world', now: () => NOON + 3 * DAY_MS })
    expect(digest(twin, NOON)).toBe(digest(world, NOON))
    expect(digest(createWorld({ seed: 'other', now: () => NOON }), NOON)).not.toBe(digest(world, NOON))
  })

  test('is the same in another process', async () => {
    const script = `
      import { createHash } from 'node:crypto'
      import { createWorld } from ${JSON.stringify(new URL('./world.ts', import.meta.url).href)}
      const of = createWorld({ seed: 'world', now: () => ${NOON} })
      const state = of.accounts().map((a) => [of.profileAt(a, ${NOON}), of.posts(a, { t: ${NOON}, limit: 50 })])
      process.stdout.write(createHash('sha256').update(JSON.stringify(state)).digest('hex'))`
    const args = ['--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(stdout).toBe(digest(world, NOON))
  })

  test('does not depend on the order in which it is asked', () => {
    const twin = createWorld({ seed: 'world', now: () => NOON })
    digest(twin, NOON + 9 * DAY_MS)
    digest(twin, NOON - 40 * DAY_MS)
    expect(digest(twin, NOON)).toBe(digest(world, NOON))
  })

  test('has seven accounts on Bluesky and six on Mastodon, or as many as one wants', () => {
    expect(world.accounts('bluesky')).toHaveLength(7)
    expect(world.accounts('mastodon')).toHaveLength(6)
    const large = createWorld({ seed: 'world', now: () => NOON, accounts: { bluesky: 40, mastodon: 25 } })
    expect(large.accounts()).toHaveLength(65)
    expect(new Set(large.accounts().map((account) => account.id)).size).toBe(65)
    const [invented] = large.accounts('bluesky').slice(-1)
    expect(invented && large.posts(invented, { t: NOON, limit: 5 })).not.toHaveLength(0)
  })

  test('reaches back at least a hundred days, whatever the clock says', () => {
    for (const now of [NOON, Date.UTC(2026, 7, 1), Date.UTC(2025, 0, 1), Date.UTC(2031, 4, 5)]) {
      const { epoch } = createWorld({ seed: 'world', now: () => now })
      expect(now - epoch).toBeGreaterThanOrEqual(MIN_HISTORY_DAYS * DAY_MS)
    }
    const [newsroom] = world.accounts('bluesky').slice(1)
    const oldest = newsroom && world.posts(newsroom, { t: NOON, limit: ALL }).at(-1)
    expect(NOON - (oldest?.at ?? NOON)).toBeGreaterThan(MIN_HISTORY_DAYS * DAY_MS)
  })

  test('posts, replies, quotes and reposts in about the right proportions, forever', () => {
    for (const t of [NOON, NOON + 150 * DAY_MS]) {
      const recent = everything(world, t).filter((entry) => entry.at > t - 100 * DAY_MS)
      const share = (kind: string): number =>
        recent.filter((entry) => entry.kind === kind).length / recent.length
      expect(share('reply')).toBeGreaterThan(0.13)
      expect(share('reply')).toBeLessThan(0.24)
      expect(share('quote')).toBeGreaterThan(0.025)
      expect(share('quote')).toBeLessThan(0.08)
      expect(share('repost')).toBeGreaterThan(0.04)
      expect(share('repost')).toBeLessThan(0.11)
      expect(recent.length / 100).toBeGreaterThan(60)
    }
  })

  test('feeds are in order, without two entries at one moment, and reposts are of others and never twice', () => {
    for (const account of world.accounts()) {
      const feed = world.posts(account, { t: NOON, limit: ALL })
      for (const [index, entry] of feed.entries()) {
        const newer = feed[index - 1]
        if (newer) expect(entry.at).toBeLessThan(newer.at)
        expect(entry.at).toBeLessThanOrEqual(NOON)
        if (entry.kind === 'repost') expect(entry.post.account).not.toBe(account)
      }
      const reposted = feed.filter((entry) => entry.kind === 'repost').map((entry) => entry.post.id)
      expect(new Set(reposted).size).toBe(reposted.length)
      expect(feed.length).toBeGreaterThan(20)
    }
  })

  test('texts fit their platform and carry the hashtags that the post claims', () => {
    const tags = new Set<string>()
    for (const { post } of everything(world, NOON)) {
      expect(graphemeLength(post.text)).toBeLessThanOrEqual(post.account.platform === 'bluesky' ? 300 : 500)
      expect(post.text).not.toMatch(/[{}]|undefined/)
      for (const tag of post.hashtags) {
        tags.add(tag)
        if (![...post.extraTags, post.community?.handle].includes(tag)) expect(post.text).toContain(`#${tag}`)
      }
    }
    expect([...tags].some((tag) => /\p{Script=Han}|\p{Script=Katakana}/u.test(tag))).toBe(true)
    expect(tags.has('Climate') && tags.has('climate')).toBe(true)
  })

  test('answers and quotes point at posts that were there before', () => {
    const related = everything(world, NOON).filter(
      (entry) => entry.kind === 'reply' || entry.kind === 'quote',
    )
    for (const { post } of related) {
      const target = world.post(post.account.platform, post.replyToId ?? post.quotedId ?? '', NOON)
      expect(target?.kind).toBe('post')
      expect(target?.indexedAt).toBeLessThan(post.indexedAt)
      expect(target?.account.platform).toBe(post.account.platform)
    }
  })

  test('profiles count what the feed shows', () => {
    for (const account of world.accounts()) {
      const feed = world.posts(account, { t: NOON, limit: ALL })
      const counted = ['mastodon', 'x'].includes(account.platform)
        ? feed
        : feed.filter((entry) => entry.kind !== 'repost')
      expect(world.profileAt(account, NOON).posts).toBe(counted.length)
    }
  })

  test('followers grow over months, with days on which they fall', () => {
    let falls = 0
    for (const account of world.accounts()) {
      const daily = Array.from(
        { length: 120 },
        (_, day) => world.profileAt(account, NOON - day * DAY_MS).followers,
      )
      falls += daily.filter((followers, index) => followers < (daily[index + 1] ?? 0)).length
      expect(daily[0] ?? 0).toBeGreaterThan(daily[119] ?? 0)
    }
    expect(falls).toBeGreaterThan(5)
  })

  test('moves while one looks: counts change within a minute, posts appear within the hour', () => {
    for (let hour = 0; hour < 10; hour += 1) {
      const t = Date.UTC(2026, 10, 24, 8 + hour)
      const recent = everything(world, t).filter(
        (entry) => entry.kind !== 'repost' && entry.at > t - 3 * DAY_MS,
      )
      const changed = recent.filter(({ post }) => {
        return (
          JSON.stringify(world.metricsAt(post.account.platform, post.id, t + MINUTE_MS)) !==
          JSON.stringify(post.metrics)
        )
      })
      expect(changed.length).toBeGreaterThan(3)
    }
    const day = Date.UTC(2026, 10, 24)
    const waking = everything(world, day + 20 * HOUR_MS).filter((entry) => entry.at > day + 6 * HOUR_MS)
    expect(waking.length).toBeGreaterThan(14 * 3)
  })

  test('a trending hashtag surges across accounts for some hours and was quiet before', () => {
    const trends = world.trends(NOON - 60 * DAY_MS, NOON - DAY_MS)
    expect(trends.length).toBeGreaterThan(20)
    const entries = everything(world, NOON)
    let surges = 0
    for (const trend of trends) {
      const [tag = ''] = trend.spellings
      const using = (from: number, to: number): number =>
        new Set(
          entries
            .filter((entry) => entry.kind === 'post' && entry.at >= from && entry.at < to)
            .filter(({ post }) => post.hashtags.some((one) => one.toLowerCase() === tag.toLowerCase()))
            .map((entry) => entry.account),
        ).size
      expect(using(trend.startAt - 2 * DAY_MS, trend.startAt)).toBe(0)
      if (using(trend.startAt, trend.endAt) >= 5) surges += 1
    }
    expect(surges / trends.length).toBeGreaterThan(0.8)
  })

  test('at(t) shows the past as it was', () => {
    const then = NOON - 10 * DAY_MS
    const view = world.at(then)
    const account = view.account('mastodon', 'radiomarea')
    if (!account) throw new Error('radiomarea is missing')
    expect(view.profile(account)).toEqual(world.profileAt(account, then))
    const [newest] = view.posts(account, { limit: 1 })
    expect(newest?.at).toBeLessThanOrEqual(then)
    expect(view.post('mastodon', newest?.post.id ?? '')?.metrics).toEqual(newest?.post.metrics)
    const later = world.posts(account, { t: NOON, limit: 1 })[0]?.post.id ?? ''
    expect(view.post('mastodon', later)).toBeUndefined()
  })
})
