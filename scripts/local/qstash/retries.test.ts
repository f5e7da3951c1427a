import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  aMoment,
  type Delivery,
  gate,
  ManualClock,
  type Reply,
  receiverOf,
  silenceClient,
  startDestination,
  startLocal,
  TOKEN,
} from './test-support.ts'

const decode = (base64: string) => Buffer.from(base64, 'base64').toString()
const retriedOf = (delivery: Delivery) => delivery.headers['upstash-retried']

describe('retries', () => {
  it('waits as the message’s expression says', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination(() => ({ status: 503 }))
    const { qstash, client } = await startLocal({ clock })
    await client.publish({ url: destination.url, retries: 2, retryDelay: '1000 * (1 + retried)' })
    await destination.received(1)
    await aMoment()
    clock.advance(999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(1)
    clock.advance(1)
    await destination.received(2)
    await aMoment()
    clock.advance(1999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(2)
    clock.advance(1)
    await qstash.idle()
    expect(destination.deliveries.map(retriedOf)).toEqual(['0', '1', '2'])
    expect(new Set(destination.deliveries.map(({ headers }) => headers['upstash-message-id'])).size).toBe(1)
  })

  it('waits by default as QStash does, shortened by timeScale', async () => {
    const destination = await startDestination(({ headers }) => ({
      status: headers['upstash-retried'] === '2' ? 204 : 500,
    }))
    const { qstash, client } = await startLocal({ timeScale: 0.001 })
    await client.publish({ url: destination.url })
    await qstash.idle()
    const [first, second, third, ...more] = destination.deliveries.map(({ atMs }) => atMs)
    expect(more).toEqual([])
    // 12.2 s and 148.4 s
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(11)
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(146)
    expect((await client.dlq.listMessages()).messages).toEqual([])
  })

  it('obeys Retry-After before anything else', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination(({ headers }) =>
      headers['upstash-retried'] === '0' ? { status: 429, headers: { 'Retry-After': '30' } } : {},
    )
    const { qstash, client } = await startLocal({ clock })
    const { messageId } = await client.publish({ url: destination.url, retryDelay: '1' })
    await destination.received(1)
    await aMoment()
    const { logs } = await client.logs({ messageIds: [messageId] })
    expect(logs[0]).toMatchObject({ state: 'RETRY', nextDeliveryTime: clock.now() + 30_000 })
    clock.advance(29_999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(1)
    clock.advance(1)
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(2)
  })

  it('does not follow redirects', async () => {
    const target = await startDestination()
    const destination = await startDestination(() => ({ status: 307, headers: { location: target.url } }))
    const { qstash, client } = await startLocal()
    await client.publish({ url: destination.url, retries: 0 })
    await qstash.idle()
    expect(target.deliveries).toEqual([])
    expect((await client.dlq.listMessages()).messages).toMatchObject([{ responseStatus: 307 }])
  })

  it('tries again where nothing answers', async () => {
    const { qstash, client } = await startLocal({ timeScale: 0 })
    // The port of a server that is gone.
    const gone = await startLocal()
    await gone.qstash.stop()
    const { messageId } = await client.publish({ url: gone.qstash.url, retries: 2 })
    await qstash.idle()
    const { logs } = await client.logs({ messageIds: [messageId] })
    expect(logs.filter(({ state }) => state === 'ACTIVE')).toHaveLength(3)
    const [letter] = (await client.dlq.listMessages()).messages
    expect(letter).toMatchObject({ messageId, responseBody: expect.stringContaining('ECONNREFUSED') })
    expect(letter).not.toHaveProperty('responseStatus')
  })

  it('gives up an answer that takes longer than the message’s timeout', async () => {
    const held = gate()
    const destination = await startDestination(() => ({ after: held.opened }))
    const { qstash, client } = await startLocal()
    await client.publish({ url: destination.url, retries: 0, headers: { 'Upstash-Timeout': '50ms' } })
    await qstash.idle()
    held.open()
    const [letter] = (await client.dlq.listMessages()).messages
    expect(letter).toMatchObject({ responseBody: 'no answer within 50 ms' })
  })

  it('does not count a connection that the destination had let go', async () => {
    const requestsOfSockets: number[] = []
    const server = createServer((socket) => {
      const index = requestsOfSockets.push(0) - 1
      socket.on('data', () => {
        requestsOfSockets[index] = (requestsOfSockets[index] ?? 0) + 1
        // Offers to keep the connection, but hangs up at the first sign of its second request.
        if (requestsOfSockets[index] === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        else socket.destroy()
      })
    })
    server.listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.close()
    })
    await once(server, 'listening')
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const { qstash, client } = await startLocal()
    for (let n = 0; n < 3; n += 1) {
      await client.publish({ url: `http://127.0.0.1:${port}/`, method: 'GET', retries: 0 })
      await qstash.idle()
    }
    expect((await client.dlq.listMessages()).messages).toEqual([])
    expect(requestsOfSockets).toEqual([2, 2, 1])
  })
})

describe('the dead-letter list', () => {
  const permanent: Reply = { status: 489, headers: { 'Upstash-NonRetryable-Error': 'true' }, body: 'gone' }

  it('takes a 489 with its header at once', async () => {
    const destination = await startDestination(() => permanent)
    const { qstash, client } = await startLocal({ timeScale: 0 })
    const { messageId } = await client.publishJSON({ url: destination.url, body: { a: 1 }, label: 'sync' })
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(1)
    expect((await client.dlq.listMessages()).messages).toMatchObject([
      { messageId, responseStatus: 489, responseBody: 'gone', body: '{"a":1}', label: 'sync' },
    ])
  })

  it('takes no 489 without the header, and no other status with it, before the retries are used up', async () => {
    const destination = await startDestination(({ path }) =>
      path === '/bare' ? { status: 489 } : { ...permanent, status: 400 },
    )
    const { qstash, client } = await startLocal({ timeScale: 0 })
    await client.publish({ url: `${destination.url}/bare`, retries: 1 })
    await client.publish({ url: `${destination.url}/other`, retries: 1 })
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(4)
  })

  it('shows the last answer, and lists, filters and pages', async () => {
    const destination = await startDestination(({ path }) => ({
      status: path === '/a' ? 500 : 404,
      headers: { 'x-reason': 'because' },
      body: `no ${path}`,
    }))
    const { qstash, client } = await startLocal()
    for (const path of ['/a', '/b', '/c']) {
      await client.publishJSON({
        url: `${destination.url}${path}`,
        body: path,
        retries: 0,
        label: ['dead', path],
      })
      await qstash.idle()
    }
    const { messages } = await client.dlq.listMessages()
    expect(messages.map(({ responseBody }) => responseBody)).toEqual(['no /c', 'no /b', 'no /a'])
    expect(messages[0]).toMatchObject({
      url: `${destination.url}/c`,
      responseStatus: 404,
      responseHeader: { 'X-Reason': ['because'] },
    })

    const byStatus = await client.dlq.listMessages({ filter: { responseStatus: [500, 502] } })
    expect(byStatus.messages.map(({ body }) => body)).toEqual(['"/a"'])
    const both = await client.dlq.listMessages({ filter: { label: ['/b', '/c'], responseStatus: 404 } })
    expect(both.messages).toHaveLength(2)
    const none = await client.dlq.listMessages({ filter: { label: '/a', responseStatus: 404 } })
    expect(none.messages).toEqual([])
    const future = await client.dlq.listMessages({ filter: { fromDate: Date.now() + 60_000 } })
    expect(future.messages).toEqual([])

    const page = await client.dlq.listMessages({ count: 2 })
    expect(page.messages).toHaveLength(2)
    const rest = await client.dlq.listMessages({ count: 2, cursor: page.cursor ?? '' })
    expect(rest.messages.map(({ responseBody }) => responseBody)).toEqual(['no /a'])
    expect(rest.cursor).toBeUndefined()

    const dlqId = messages[0]?.dlqId ?? ''
    const one = await client.dlq.listMessages({ dlqIds: [dlqId] })
    expect(one.messages.map((message) => message.dlqId)).toEqual([dlqId])
    const headers = { authorization: `Bearer ${TOKEN}` }
    const got = await fetch(`${qstash.url}/v2/dlq/${dlqId}`, { headers })
    expect(await got.json()).toMatchObject({ dlqId, responseBody: 'no /c' })
  })

  it('deletes one, some, those that match, and all in turns', async () => {
    silenceClient()
    const destination = await startDestination(() => permanent)
    const { qstash, client } = await startLocal()
    for (let n = 0; n < 8; n += 1) await client.publish({ url: `${destination.url}/${n}` })
    await qstash.idle()
    const { messages } = await client.dlq.listMessages()
    const ids = messages.map(({ dlqId }) => dlqId)
    expect(await client.dlq.delete(ids[0] ?? '')).toEqual({ deleted: 1 })
    await expect(client.dlq.delete(ids[0] ?? '')).rejects.toMatchObject({ status: 404 })
    expect(await client.dlq.delete(ids.slice(0, 3))).toMatchObject({ deleted: 2 })
    const url = messages[7]?.url ?? ''
    expect(await client.dlq.delete({ filter: { url } })).toMatchObject({ deleted: 1 })
    const first = await client.dlq.delete({ all: true, count: 3 })
    expect(first).toMatchObject({ deleted: 3, cursor: expect.any(String) })
    const second = await client.dlq.delete({ all: true, count: 3, cursor: first.cursor ?? '' })
    expect(second.deleted).toBe(1)
    expect(second.cursor).toBeUndefined()
    expect((await client.dlq.listMessages()).messages).toEqual([])
  })

  it('retries messages as new ones', async () => {
    silenceClient()
    let broken = true
    const destination = await startDestination(() => (broken ? permanent : {}))
    const { qstash, client } = await startLocal()
    const dead = await client.publishJSON({
      url: `${destination.url}/a`,
      body: { a: 1 },
      headers: { 'x-tenant': 'acme' },
      deduplicationId: 'a',
    })
    await client.publish({ url: `${destination.url}/b` })
    await qstash.idle()
    broken = false
    const [b, a] = (await client.dlq.listMessages()).messages
    const { responses } = await client.dlq.retry(a?.dlqId ?? '')
    await qstash.idle()
    expect(responses).toEqual([{ messageId: expect.stringMatching(/^msg_/) }])
    expect(responses[0]?.messageId).not.toBe(dead.messageId)
    expect(destination.deliveries[2]).toMatchObject({
      path: '/a',
      body: '{"a":1}',
      headers: { 'x-tenant': 'acme', 'upstash-retried': '0', 'upstash-message-id': responses[0]?.messageId },
    })
    await expect(client.dlq.retry(a?.dlqId ?? '')).rejects.toMatchObject({ status: 404 })
    expect((await client.dlq.retry({ all: true })).responses).toHaveLength(1)
    await qstash.idle()
    expect(destination.deliveries[3]).toMatchObject({ path: new URL(b?.url ?? '').pathname })
    expect((await client.dlq.listMessages()).messages).toEqual([])
  })
})

describe('callbacks', () => {
  it('tells the callback of the answer, signed', async () => {
    const callbacks = await startDestination()
    const destination = await startDestination(() => ({
      status: 201,
      headers: { 'x-id': '7' },
      body: 'made ✓',
    }))
    const { qstash, client } = await startLocal()
    const { messageId } = await client.publishJSON({
      url: destination.url,
      body: { a: 1 },
      headers: {
        'x-tenant': 'acme',
        'Upstash-Callback-Forward-X-Secret': 's3cret',
        'Upstash-Callback-Method': 'PUT',
      },
      callback: `${callbacks.url}/done`,
      failureCallback: `${callbacks.url}/failed`,
      retries: 2,
    })
    await qstash.idle()
    const [delivery, ...others] = callbacks.deliveries
    expect(others).toEqual([])
    expect(delivery).toMatchObject({
      method: 'PUT',
      path: '/done',
      headers: { 'content-type': 'application/json', 'x-secret': 's3cret' },
    })
    const body = delivery?.body ?? ''
    const signature = String(delivery?.headers['upstash-signature'])
    await expect(receiverOf().verify({ signature, body, url: `${callbacks.url}/done` })).resolves.toBe(true)
    const told = JSON.parse(body)
    expect(told).toMatchObject({
      status: 201,
      header: { 'X-Id': ['7'] },
      retried: 0,
      maxRetries: 2,
      sourceMessageId: messageId,
      url: destination.url,
      method: 'POST',
      sourceHeader: { 'Content-Type': ['application/json'], 'X-Tenant': ['acme'] },
      notBefore: expect.any(Number),
      createdAt: expect.any(Number),
      callerIP: '127.0.0.1',
    })
    expect(decode(told.body)).toBe('made ✓')
    expect(decode(told.sourceBody)).toBe('{"a":1}')
    expect(told).not.toHaveProperty('dlqId')
  })

  it('tells of every failed attempt, and the failure callback of the end', async () => {
    const callbacks = await startDestination()
    const destination = await startDestination(() => ({ status: 500, body: 'broken' }))
    const { qstash, client } = await startLocal({ timeScale: 0 })
    const { messageId } = await client.publishJSON({
      url: destination.url,
      body: 1,
      callback: `${callbacks.url}/each`,
      failureCallback: `${callbacks.url}/end`,
      retries: 1,
    })
    await qstash.idle()
    const told = (path: string) =>
      callbacks.deliveries.filter((each) => each.path === path).map(({ body }) => JSON.parse(body))
    expect(
      told('/each')
        .map(({ retried }) => retried)
        .sort(),
    ).toEqual([0, 1])
    const [letter] = (await client.dlq.listMessages()).messages
    expect(told('/end')).toMatchObject([
      { status: 500, retried: 1, maxRetries: 1, sourceMessageId: messageId, dlqId: letter?.dlqId },
    ])
    expect(decode(told('/end')[0].body)).toBe('broken')
  })

  it('retries a callback as often as its source, unless it has a number of its own', async () => {
    const callbacks = await startDestination(() => ({ status: 500 }))
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ timeScale: 0 })
    await client.publish({ url: destination.url, retries: 2, callback: `${callbacks.url}/same` })
    await client.publish({
      url: destination.url,
      retries: 2,
      callback: `${callbacks.url}/own`,
      headers: { 'Upstash-Callback-Retries': '0' },
    })
    await qstash.idle()
    const count = (path: string) => callbacks.deliveries.filter((each) => each.path === path).length
    expect([count('/same'), count('/own')]).toEqual([3, 1])
    expect((await client.dlq.listMessages()).messages).toHaveLength(2)
  })
})
