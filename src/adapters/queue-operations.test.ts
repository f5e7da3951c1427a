import { describe, expect, it } from 'vitest'
import {
  type Delivery,
  type Reply,
  silenceClient,
  startDestination,
  startLocal,
  TOKEN,
} from '../../scripts/local/qstash/test-support.ts'
import { AppError } from '../errors.ts'
import { verdictOf } from '../jobs/verdict.ts'
import { newId } from '../lib/ids.ts'
import { createQueue } from './queue.ts'
import { createDeadLetters, createSchedules } from './queue-operations.ts'

/** A queue whose messages all fail at once, as the destination says. */
async function start(reply: (delivery: Delivery) => Reply = () => ({ status: 500 })) {
  const destination = await startDestination(reply)
  const { qstash, client } = await startLocal()
  const access = { url: qstash.url, token: TOKEN }
  const queue = createQueue({ ...access, callbacksUrl: destination.url })
  const letters = createDeadLetters(access)
  const all = async () => (await letters.list({ cursor: null, limit: 100 })).items
  return {
    destination,
    client,
    access,
    letters,
    all,
    /** Publishes a message, and waits until it is dead. */
    async kill(body: unknown, topic = 'sync/posts') {
      await queue.publish([{ topic, body, retries: 0 }])
      await qstash.idle()
    },
    idle: () => qstash.idle(),
  }
}

const never = (): Reply => ({ status: 489, headers: { 'upstash-nonretryable-error': 'true' } })

describe('a dead letter', () => {
  it('says what it was, what became of it and whom it was for', async () => {
    const { destination, kill, all } = await start(() => ({ status: 503, body: '{"code":"unavailable"}' }))
    const workspaceId = newId()
    const before = Date.now()
    await kill({ workspaceId, importId: newId(), offset: 0 }, 'imports/process')
    const [letter, ...others] = await all()
    expect(others).toEqual([])
    expect(letter).toEqual({
      id: expect.stringMatching(/^[\w-]+$/),
      url: `${destination.url}/callbacks/imports/process`,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      attempts: 1,
      status: 503,
      cause: 'unavailable',
      workspaceId,
      scheduleId: null,
    })
    expect(Date.parse(letter?.createdAt ?? '')).toBeGreaterThanOrEqual(before)
  })

  it('shows a verdict of ours as its code and sentence, and leaves open how often it was tried', async () => {
    const verdict = verdictOf(new AppError('gone', 'The account is gone.'))
    const body = await verdict.text()
    const { kill, all } = await start(() => ({ ...never(), body }))
    await kill({})
    expect(await all()).toMatchObject([{ status: 489, attempts: null, cause: 'gone: The account is gone.' }])
  })

  it('has no status where nobody answered', async () => {
    const { client, idle, all } = await start()
    const url = 'http://127.0.0.1:1/callbacks/sync/plan'
    await client.publishJSON({ url, body: {}, retries: 0 })
    await idle()
    expect(await all()).toMatchObject([{ url, status: null, attempts: 1 }])
  })

  it('shows no secret of an answer, and 500 characters of it at most', async () => {
    const key = `tm_${'k'.repeat(43)}`
    const { kill, all } = await start(() => ({
      status: 500,
      body: `postgres://owner:hunter2@db.example/x refused ${key} ${'x'.repeat(2_000)}`,
    }))
    await kill({})
    const [letter] = await all()
    expect(letter?.cause).toHaveLength(500)
    expect(letter?.cause).toContain('db.example')
    expect(letter?.cause).not.toContain('hunter2')
    expect(letter?.cause).not.toContain(key)
  })

  const [one, two] = [newId(), newId()]
  it.each([
    ['one workspace', { workspaceId: one }, one],
    ['accounts of one workspace', { accounts: [{ workspaceId: one }, { workspaceId: one }] }, one],
    ['posts of one workspace', { posts: [{ workspaceId: one, platformPostId: '1' }] }, one],
    ['accounts of two workspaces', { accounts: [{ workspaceId: one }, { workspaceId: two }] }, null],
    ['nobody', {}, null],
    ['what is no workspace', { workspaceId: 'x' }, null],
    ['a text', 'text', null],
  ])('that worked for %s', async (_, body, workspaceId) => {
    const { kill, all } = await start()
    await kill(body)
    expect((await all()).map((letter) => letter.workspaceId)).toEqual([workspaceId])
  })
})

describe('dead letters', () => {
  it('come newest first, page by page', async () => {
    const { kill, letters } = await start()
    for (const topic of ['a', 'b', 'c', 'd', 'e']) await kill({}, topic)
    const topics: string[] = []
    const sizes: number[] = []
    for (let cursor: string | null = null, more = true; more; ) {
      const page = await letters.list({ cursor, limit: 2 })
      topics.push(...page.items.map(({ url }) => url.slice(-1)))
      sizes.push(page.items.length)
      cursor = page.nextCursor
      more = cursor !== null
    }
    expect(topics).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(sizes).toEqual([2, 2, 1])
  })

  it('go on their way again, once', async () => {
    let isMended = false
    const { destination, kill, all, letters, idle } = await start(() => ({ status: isMended ? 200 : 500 }))
    await kill({ n: 7 })
    const [letter] = await all()
    isMended = true
    expect(await letters.retry(letter?.id ?? '')).toBe(true)
    await idle()
    expect(destination.deliveries.map(({ body }) => JSON.parse(body))).toEqual([{ n: 7 }, { n: 7 }])
    expect(await all()).toEqual([])
    expect(await letters.retry(letter?.id ?? '')).toBe(false)
  })

  it('come back under another id where they fail again', async () => {
    const { kill, all, letters, idle } = await start()
    await kill({})
    const [first] = await all()
    await letters.retry(first?.id ?? '')
    await idle()
    const [second, ...others] = await all()
    expect(others).toEqual([])
    expect(second?.id).not.toBe(first?.id)
  })

  it('are forgotten, once', async () => {
    const { destination, kill, all, letters } = await start()
    await kill({}, 'a')
    await kill({}, 'b')
    const [b, a] = await all()
    expect(await letters.remove(b?.id ?? '')).toBe(true)
    expect((await all()).map(({ id }) => id)).toEqual([a?.id])
    expect(await letters.remove(b?.id ?? '')).toBe(false)
    expect(destination.deliveries).toHaveLength(2)
  })

  it.each(['', 'nothing', '1795356872094-0', '../schedules', 'a/b', '*', '%2e%2e'])(
    'have none of the id %j',
    async (id) => {
      const { kill, all, letters } = await start()
      await kill({})
      expect([await letters.retry(id), await letters.remove(id)]).toEqual([false, false])
      expect(await all()).toHaveLength(1)
    },
  )

  it('are touched one at a time, whatever an id looks like', async () => {
    const { kill, all, letters } = await start()
    await kill({}, 'a')
    await kill({}, 'b')
    const ids = (await all()).map(({ id }) => id).join(',')
    expect([await letters.retry(ids), await letters.remove(ids)]).toEqual([false, false])
    expect(await all()).toHaveLength(2)
  })

  it.each([
    ['refuses the token', (url: string) => ({ url, token: 'another' })],
    ['is not there', () => ({ url: 'http://127.0.0.1:1', token: TOKEN })],
  ])('are unavailable where the queue %s', async (_, accessOf) => {
    silenceClient()
    const { access } = await start()
    const elsewhere = accessOf(access.url)
    const letters = createDeadLetters(elsewhere)
    for (const asking of [
      letters.list({ cursor: null, limit: 1 }),
      letters.retry('1-1'),
      letters.remove('1-1'),
      createSchedules(elsewhere).list(),
    ])
      await expect(asking).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })
})

describe('schedules', () => {
  it('are told as the queue has them', async () => {
    const { client, access } = await start()
    const destination = 'https://tidemark.example/callbacks/sync/plan'
    await client.schedules.create({ scheduleId: 'a', destination, cron: '*/7 * * * *', retries: 2 })
    await client.schedules.pause({ schedule: 'a' })
    expect(await createSchedules(access).list()).toMatchObject([
      { scheduleId: 'a', destination, cron: '*/7 * * * *', retries: 2, isPaused: true },
    ])
  })
})
