import { describe, expect, it } from 'vitest'
import { aMoment, gate, silenceClient, startDestination, startLocal } from './test-support.ts'

describe('messages on their way', () => {
  it('shows a message until it is delivered', async () => {
    silenceClient()
    const held = gate()
    const destination = await startDestination(() => ({ after: held.opened }))
    const { qstash, client } = await startLocal()
    const { messageId } = await client.publishJSON({
      url: destination.url,
      body: { a: 1 },
      label: ['sync', 'bluesky'],
      retries: 2,
      retryDelay: '1000 * (1 + retried)',
      flowControl: { key: 'bluesky', parallelism: 2, rate: 5, period: '1m' },
    })
    await destination.received(1)
    expect(await client.messages.get(messageId)).toMatchObject({
      messageId,
      url: destination.url,
      method: 'POST',
      header: { 'Content-Type': ['application/json'] },
      body: '{"a":1}',
      maxRetries: 2,
      retryDelayExpression: '1000 * (1 + retried)',
      label: 'sync',
      labels: ['sync', 'bluesky'],
      flowControlKey: 'bluesky',
      parallelism: 2,
      rate: 5,
      period: 60,
      callerIp: '127.0.0.1',
    })
    held.open()
    await qstash.idle()
    await expect(client.messages.get(messageId)).rejects.toMatchObject({ status: 404 })
    const { logs } = await client.logs({ filter: { label: 'bluesky' } })
    expect(logs.map(({ state }) => state)).toEqual(['DELIVERED', 'ACTIVE', 'CREATED'])
  })

  it('cancels one, some, those that match and all', async () => {
    silenceClient()
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const later = (label: string) => client.publish({ url: destination.url, delay: 60, label })
    const [a, b, c] = [await later('a'), await later('b'), await later('c')]
    await later('d')
    await later('e')
    expect(await client.messages.cancel(a.messageId)).toEqual({ cancelled: 1 })
    await expect(client.messages.cancel(a.messageId)).rejects.toMatchObject({ status: 404 })
    expect(await client.messages.cancel([a.messageId, b.messageId])).toEqual({ cancelled: 1 })
    expect(await client.messages.cancel({ filter: { label: ['c', 'x'] } })).toEqual({ cancelled: 1 })
    await expect(client.messages.get(c.messageId)).rejects.toMatchObject({ status: 404 })
    expect(await client.messages.cancel({ all: true })).toEqual({ cancelled: 2 })
    await qstash.idle()
    expect(destination.deliveries).toEqual([])
  })

  it.each([0, 3])(
    'forgets a message that was cancelled on its way, with %d retries left',
    async (retries) => {
      const held = gate()
      const destination = await startDestination(() => ({ status: 500, after: held.opened }))
      const { qstash, client } = await startLocal({ timeScale: 0 })
      const { messageId } = await client.publish({ url: destination.url, retries })
      await destination.received(1)
      await client.messages.cancel(messageId)
      held.open()
      await qstash.idle()
      await aMoment()
      expect(destination.deliveries).toHaveLength(1)
      expect((await client.dlq.listMessages()).messages).toEqual([])
      const { logs } = await client.logs({ messageIds: [messageId] })
      expect(logs.map(({ state }) => state)).toEqual(['CANCELED', 'ACTIVE', 'CREATED'])
    },
  )

  it('lists logs in pages, the newest first', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    for (let n = 0; n < 3; n += 1) await client.publish({ url: `${destination.url}/${n}` })
    await qstash.idle()
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await client.logs({ count: 4, ...(cursor !== undefined && { cursor }) })
      expect(page.logs.length).toBeLessThanOrEqual(4)
      seen.push(...page.logs.map(({ state, url }) => `${new URL(url).pathname} ${state}`))
      cursor = page.cursor
    } while (cursor)
    expect(seen).toHaveLength(9)
    expect(new Set(seen).size).toBe(9)
    expect((await client.logs({ filter: { state: 'DELIVERED', path: '/1' } })).logs).toHaveLength(1)
  })
})
