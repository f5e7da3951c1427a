import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Account } from '../../src/services/accounts/schemas.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { Post } from '../../src/services/posts/schemas.ts'
import { comparable, postsOf, typedHandle, untilComplete } from './support/accounts.ts'
import { parsed } from './support/client.ts'
import { expectOverviewToBeTrue, SUMMED } from './support/expected.ts'
import { listenLive } from './support/live.ts'
import { type Person, signUp } from './support/people.ts'
import { holdWorld, releaseWorld, sqlRow, stack, startPlanning } from './support/stack.ts'
import { until } from './support/wait.ts'
import { act, expectedPosts, truthOf } from './support/world.ts'

const CONNECTED = [
  { platform: 'bluesky', handle: 'lanternfish.example.com' },
  { platform: 'mastodon', handle: 'ferrocast' },
] as const

/** From signing up to a number that moves. The platforms' clock stands still, so that figures are exact. */
describe('the main job', () => {
  let person: Person
  const accounts = new Map<string, Account>()

  beforeAll(async () => {
    await holdWorld()
    await startPlanning()
    person = await signUp()
    for (const { platform, handle } of CONNECTED) {
      const typed = typedHandle(platform, handle)
      const answer = await person.key.post('/api/v1/accounts', { platform, handle: typed })
      const account = parsed(Account, answer, 201)
      expect(answer.headers.get('location')).toBe(`/api/v1/accounts/${account.id}`)
      accounts.set(platform, account)
    }
    for (const { id } of accounts.values()) await untilComplete(person.key, id)
  })
  afterAll(releaseWorld)

  const accountOf = (platform: string): Account => {
    const account = accounts.get(platform)
    if (account === undefined) throw new Error(`${platform} is not connected`)
    return account
  }

  it.each(CONNECTED)(
    'shows a connected $platform account with its figures where Location points',
    async ({ platform, handle }) => {
      const { account: truth } = await truthOf(platform, handle)
      const { id } = accountOf(platform)
      const shown = await person.key.read(Account, `/api/v1/accounts/${id}`)
      expect(shown).toMatchObject({
        platform,
        handle: typedHandle(platform, handle),
        status: 'active',
        metrics: { followers: truth.followers, following: truth.following, posts: truth.posts },
        freshness: { stale: false, reason: null, backfilling: false },
      })
    },
  )

  it.each(CONNECTED)(
    'lists every post of $platform, page by page, with the figures that the platform shows',
    async ({ platform, handle }) => {
      const expected = expectedPosts(await truthOf(platform, handle), platform)
      expect(expected.length).toBeGreaterThan(100)
      expect(comparable(await postsOf(person.key, accountOf(platform).id))).toEqual(expected)
    },
  )

  it('lists posts that add up to the rows of the database', async () => {
    const posts = await person.key.readAll(Post, '/api/v1/posts?limit=100')
    const columns = SUMMED.map((name) => `sum(${name})::float8 AS ${name}`).join(', ')
    const rows = await sqlRow<Record<string, number | null>>(
      `SELECT count(*)::int AS posts, count(DISTINCT id)::int AS ids, ${columns} FROM posts WHERE workspace_id = $1`,
      [person.workspaceId],
    )
    const sum = (name: (typeof SUMMED)[number]) => {
      const known = posts.map(({ metrics }) => metrics[name]).filter((value) => value !== null)
      return known.length === 0 ? null : known.reduce((a, b) => a + b, 0)
    }
    expect({
      posts: posts.length,
      ids: new Set(posts.map(({ id }) => id)).size,
      ...Object.fromEntries(SUMMED.map((name) => [name, sum(name)])),
    }).toEqual(rows)
  })

  it.each([
    'period=28d',
    'period=90d&compare=none',
    'period=28d&timezone=Pacific/Chatham',
    'period=7d&timezone=America/New_York',
    'period=12m&compare=year&timezone=Asia/Kathmandu',
  ])('adds the overview of %s up as plain SQL over raw rows does', async (query) => {
    const overview = await expectOverviewToBeTrue(person.key, person.workspaceId, query)
    expect(overview.totals.posts.value).toBeGreaterThan(0)
    expect(overview.accounts.map(({ id }) => id).toSorted()).toEqual(
      [...accounts.values()].map(({ id }) => id).toSorted(),
    )
    const followers = await Promise.all(CONNECTED.map(({ platform, handle }) => truthOf(platform, handle)))
    expect(overview.totals.followers.value).toBe(
      followers.reduce((sum, { account }) => sum + account.followers, 0),
    )
  })

  it('shows likes everywhere, and tells listeners, within two plans of their being given', async () => {
    const { id: accountId } = accountOf('bluesky')
    const socket = await listenLive(person.key, { types: 'metrics' })
    const post = (await postsOf(person.key, accountId)).find(({ kind }) => kind !== 'repost')
    if (post === undefined) throw new Error('There is no post to like')
    const query = '/api/v1/dashboard/overview?period=90d'
    const before = await person.key.read(Overview, query)

    const likedAtMs = Date.now()
    await act('like', { post: post.platformPostId, count: 3 })
    const likes = (post.metrics.likes ?? 0) + 3
    const isOurs = z.object({
      posts: z.array(z.object({ id: z.string(), metrics: z.record(z.string(), z.unknown()) })),
    })
    const event = await socket.frame('the likes are told', ({ type, data }) => {
      const told = isOurs.safeParse(data).data?.posts.find(({ id }) => id === post.id)
      return type === 'metrics.updated' && told?.metrics.likes === likes
    })
    expect(event.data).toMatchObject({ accounts: [{ id: accountId, delta: { likes: 3, engagements: 3 } }] })
    expect(event.arrivedAtMs - likedAtMs).toBeLessThan(2 * stack.syncIntervalSeconds * 1_000)

    // Whoever was told sees it at once, everywhere.
    const after = await person.key.read(Overview, `${query}&minGeneration=${event.generation}`)
    expect(after.totals.likes.value).toBe((before.totals.likes.value ?? 0) + 3)
    expect(after.generation).toBeGreaterThanOrEqual(event.generation)
    expect((await person.key.read(Post, `/api/v1/posts/${post.id}`)).metrics.likes).toBe(likes)

    const { writtenAt } = await sqlRow<{ writtenAt: string }>(
      'SELECT created_at AS "writtenAt" FROM outbox WHERE workspace_id = $1 AND generation = $2',
      [person.workspaceId, event.generation],
    )
    expect(event.arrivedAtMs - Date.parse(writtenAt)).toBeLessThan(1_000)
    socket.close()
  })

  it('takes new posts in while somebody looks', async () => {
    const { id: accountId } = accountOf('mastodon')
    const text = `Tides are not on time today #${Date.now().toString(36)}tide`
    await act('publish', { platform: 'mastodon', account: 'ferrocast', text })
    const found = await until('the new post is listed', async () => {
      const posts = await person.key.read(
        z.object({ items: z.array(Post) }),
        `/api/v1/posts?accounts=${accountId}&limit=5`,
      )
      return posts.items.find((post) => post.text === text)
    })
    expect(found).toMatchObject({ kind: 'post', metrics: { likes: 0, engagements: 0 }, accountId })
  })
})
