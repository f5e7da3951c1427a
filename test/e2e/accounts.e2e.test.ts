import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Account } from '../../src/services/accounts/schemas.ts'
import { Job } from '../../src/services/jobs/schemas.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { Post } from '../../src/services/posts/schemas.ts'
import { connect, postsOf, typedHandle, untilComplete } from './support/accounts.ts'
import { expectProblem, parsed } from './support/client.ts'
import { expectOverviewToBeTrue, generationOf } from './support/expected.ts'
import { listenLive } from './support/live.ts'
import { importFile, ndjson, type Person, signUp } from './support/people.ts'
import { holdWorld, releaseWorld, sqlRow } from './support/stack.ts'
import { until } from './support/wait.ts'
import { act, truthOf } from './support/world.ts'

const BLUESKY = 'spokeandchain.example.social'

/** What becomes of an account that is connected. */
describe('an account', () => {
  let person: Person
  let account: Account

  beforeAll(async () => {
    await holdWorld()
    person = await signUp()
    account = await untilComplete(person.key, (await connect(person.key, 'bluesky', BLUESKY)).id)
    await importFile(person.key, {
      handle: 'beside',
      body: ndjson([{ post_id: 'beside', posted_at: new Date().toISOString(), likes: 1_000 }]),
    })
  })
  afterAll(releaseWorld)

  const overview = async (query = 'period=90d') =>
    person.key.read(
      Overview,
      `/api/v1/dashboard/overview?${query}&minGeneration=${await generationOf(person.workspaceId)}`,
    )

  const jobDone = (answer: Awaited<ReturnType<Person['key']['post']>>) => {
    const location = answer.headers.get('location') ?? ''
    expect(location).toBe(`/api/v1/jobs/${parsed(Job, answer, 202).id}`)
    return until('the job ends', async () => {
      const job = await person.key.read(Job, location)
      return job.status === 'queued' || job.status === 'running' ? null : job
    })
  }

  it('is read at once when somebody asks for it', async () => {
    // What somebody else wrote cannot be answered here.
    const newest = (await postsOf(person.key, account.id)).find(({ kind }) => kind !== 'repost')
    const socket = await listenLive(person.key, { types: 'jobs,sync' })
    await act('reply', { post: newest?.platformPostId, count: 2 })
    const job = await jobDone(await person.key.post(`/api/v1/accounts/${account.id}/sync`))
    expect(job).toMatchObject({ kind: 'account_sync', status: 'succeeded', progress: { done: 1, total: 1 } })
    expect(job.resultUrl).toBe(`/api/v1/accounts/${account.id}`)
    const read = await person.key.read(Post, `/api/v1/posts/${newest?.id}`)
    expect(read.metrics.comments).toBe((newest?.metrics.comments ?? 0) + 2)
    await socket.frame('the job is told', ({ data }) => data.id === job.id && data.status === 'succeeded')
    await socket.frame(
      'the sync is told',
      ({ type, data }) => type === 'sync.completed' && data.accountId === account.id,
    )
    socket.close()
  })

  it('has a course of its followers', async () => {
    const { followers } = (await truthOf('bluesky', BLUESKY)).account
    const page = z.object({ items: z.array(z.object({ followers: z.number() })) })
    const { items } = await person.key.read(page, `/api/v1/accounts/${account.id}/metrics`)
    expect(items.at(-1)).toEqual({ followers })
  })

  it('is in no list and no figure when it is removed, and in all of them when it is brought back', async () => {
    const before = await overview()
    const [post] = await postsOf(person.key, account.id)
    expect((await person.key.delete(`/api/v1/accounts/${account.id}`)).status).toBe(204)
    const without = await expectOverviewToBeTrue(person.key, person.workspaceId, 'period=90d')
    expect(without.totals).toMatchObject({ posts: { value: 1 }, likes: { value: 1_000 } })
    expect(without.accounts.map(({ handle }) => handle)).toEqual(['beside'])
    expect(await postsOf(person.key, account.id)).toEqual([])
    expectProblem(await person.key.get(`/api/v1/posts/${post?.id}`), 404, 'not_found')
    expect(await person.key.readAll(Account, '/api/v1/accounts')).toHaveLength(1)
    expect(await person.key.read(Account, `/api/v1/accounts/${account.id}`)).toMatchObject({
      status: 'deleted',
    })
    expect((await person.key.delete(`/api/v1/accounts/${account.id}`)).status).toBe(204)

    const restored = await person.key.post(`/api/v1/accounts/${account.id}/restore`)
    expect(parsed(Account, restored)).toMatchObject({ id: account.id, status: 'active', deletedAt: null })
    expect((await overview()).totals).toEqual(before.totals)
  })

  it('can be paused, and is not read until it is resumed', async () => {
    const path = `/api/v1/accounts/${account.id}`
    const paused = parsed(Account, await person.key.patch(path, { status: 'paused' }))
    expect(paused).toMatchObject({ status: 'paused', freshness: { nextSyncAt: null, reason: 'paused' } })
    expectProblem(await person.key.post(`${path}/sync`), 409, 'conflict')
    const resumed = parsed(Account, await person.key.patch(path, { status: 'active' }))
    expect(resumed).toMatchObject({ status: 'active', freshness: { stale: false } })
    expect(resumed.freshness.nextSyncAt).not.toBeNull()
  })

  it('that was imported is not read, and says so', async () => {
    const all = await person.key.readAll(Account, '/api/v1/accounts?status=imported')
    expect(all.map(({ handle }) => handle)).toEqual(['beside'])
    const path = `/api/v1/accounts/${all[0]?.id}`
    expectProblem(await person.key.post(`${path}/sync`), 409, 'conflict')
    expectProblem(await person.key.patch(path, { status: 'paused' }), 409, 'conflict')
  })

  it('is one of many that a batch connects, each with its own outcome', async () => {
    const other = await signUp()
    const answer = await other.key.post('/api/v1/accounts/batch', {
      accounts: [
        { platform: 'bluesky', handle: BLUESKY },
        { platform: 'mastodon', handle: typedHandle('mastodon', 'ferrocast') },
        { platform: 'bluesky', handle: 'nobody.example.social' },
        { platform: 'bluesky', handle: `@${BLUESKY}` },
      ],
    })
    const { id } = parsed(Job, answer, 202)
    const job = await until('the batch ends', async () => {
      const job = await other.key.read(Job, `/api/v1/jobs/${id}`)
      return job.status === 'succeeded' ? job : null
    })
    const connected = await other.key.readAll(Account, '/api/v1/accounts')
    expect(connected.map(({ platform }) => platform).toSorted()).toEqual(['bluesky', 'mastodon'])
    const idOf = (platform: string) => connected.find((one) => one.platform === platform)?.id
    expect(JSON.stringify(job.result)).toContain('account_not_found')
    const results = z.array(z.object({ status: z.string(), accountId: z.string().nullable() }))
    const items = z.union([results, z.object({ items: results }).transform(({ items }) => items)])
    expect(items.parse(job.result)).toMatchObject([
      { status: 'connected', accountId: idOf('bluesky') },
      { status: 'connected', accountId: idOf('mastodon') },
      { status: 'failed', accountId: null },
      { status: 'connected', accountId: idOf('bluesky') },
    ])
    expect(job.progress).toEqual({ done: 4, total: 4 })
  })

  it('is counted in days of the timezone that its workspace moves to', async () => {
    const path = `/api/v1/workspaces/${person.workspaceId}`
    const counts = async () =>
      sqlRow<{ days: number; posts: number }>(
        `SELECT count(*)::int AS days, sum(posts)::int AS posts FROM account_days WHERE workspace_id = $1`,
        [person.workspaceId],
      )
    const before = await counts()
    for (const timezone of ['Pacific/Chatham', 'America/St_Johns', 'UTC']) {
      expect((await person.session.patch(path, { timezone })).status).toBe(204)
      const shown = await expectOverviewToBeTrue(person.session, person.workspaceId, 'period=90d')
      expect(shown.period.timezone).toBe(timezone)
      expect(shown.totals.posts.value).toBeGreaterThan(100)
    }
    expect((await counts()).posts).toBe(before.posts)
  })
})
