import { describe, expect, it } from 'vitest'
import {
  clientOf,
  ManualClock,
  NEXT_KEY,
  receiverOf,
  silenceClient,
  startDestination,
  startLocal,
  TOKEN,
} from './test-support.ts'

describe('publishing', () => {
  it('delivers JSON with forwarded headers, signed', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const url = `${destination.url}/hook/a%20b?x=1&y=//z`
    const { messageId } = await client.publishJSON({
      url,
      body: { hello: 'wörld' },
      headers: { 'X-Tenant': 'acme', Authorization: 'Bearer of-the-destination' },
    })
    await qstash.idle()

    const [delivery, ...others] = destination.deliveries
    expect(others).toEqual([])
    expect(delivery).toMatchObject({
      method: 'POST',
      path: '/hook/a%20b?x=1&y=//z',
      body: '{"hello":"wörld"}',
      headers: {
        'content-type': 'application/json',
        'x-tenant': 'acme',
        authorization: 'Bearer of-the-destination',
        'upstash-message-id': messageId,
        'upstash-retried': '0',
        'user-agent': 'Upstash-QStash',
      },
    })
    const signature = String(delivery?.headers['upstash-signature'])
    const body = delivery?.body ?? ''
    await expect(receiverOf().verify({ signature, body, url })).resolves.toBe(true)
  })

  it('uses the method that is asked for, and sends no body where there is none', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    await client.publish({ url: destination.url, method: 'GET' })
    await client.publish({ url: destination.url, method: 'PUT', body: 'text' })
    await qstash.idle()
    expect(destination.deliveries.map(({ method, body }) => [method, body]).sort()).toEqual([
      ['GET', ''],
      ['PUT', 'text'],
    ])
    const get = destination.deliveries.find(({ method }) => method === 'GET')
    expect(get?.headers['content-length'] ?? '0').toBe('0')
  })

  it('passes bytes through unchanged', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const bytes = 'a\u0000\u00ff é \u{1f30a}\r\n'
    await client.publish({ url: destination.url, body: bytes, headers: { 'content-type': 'x/y; z=1' } })
    await qstash.idle()
    expect(destination.deliveries[0]).toMatchObject({ body: bytes, headers: { 'content-type': 'x/y; z=1' } })
  })

  it('signs with the next key after a rotation, which outlives a restart', async () => {
    const destination = await startDestination()
    const { qstash, client, dataFile } = await startLocal()
    const rotated = qstash.rotateKeys()
    expect(rotated.current).toBe(NEXT_KEY)
    await client.publish({ url: destination.url, body: 'one' })
    await qstash.idle()
    await qstash.stop()

    const again = await startLocal({ dataFile })
    await again.client.publish({ url: destination.url, body: 'two' })
    await again.qstash.idle()
    for (const { body, headers } of destination.deliveries) {
      const verify = (current: string, next: string) =>
        receiverOf(current, next).verify({
          signature: String(headers['upstash-signature']),
          body,
          url: destination.url,
        })
      await expect(verify('unknown', NEXT_KEY)).resolves.toBe(true)
      await expect(verify('unknown', 'unknown too')).rejects.toThrow('signature')
    }
    expect(destination.deliveries).toHaveLength(2)

    const headers = { authorization: `Bearer ${TOKEN}` }
    const keys = await fetch(`${again.qstash.url}/v2/keys`, { headers })
    expect(await keys.json()).toEqual(rotated)
    const turn = await fetch(`${again.qstash.url}/v2/keys/rotate`, { method: 'POST', headers })
    expect(await turn.json()).toMatchObject({ current: rotated.next })
  })

  it('accepts a batch as a whole, or not at all', async () => {
    silenceClient()
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const bad = client.batchJSON([
      { url: destination.url, body: 1 },
      { url: 'example.com', body: 2 },
    ])
    await expect(bad).rejects.toMatchObject({ status: 400 })
    await qstash.idle()
    expect(destination.deliveries).toEqual([])

    const answers = await client.batchJSON([
      { url: `${destination.url}/1`, body: { n: 1 } },
      { url: `${destination.url}/2`, body: { n: 2 }, headers: { 'x-n': 'two' }, method: 'PATCH' },
      { url: `${destination.url}/3`, body: { n: 3 }, queueName: 'batched' },
    ])
    await qstash.idle()
    expect(new Set(answers.map((answer) => 'messageId' in answer && answer.messageId)).size).toBe(3)
    const seen = destination.deliveries.map(({ path, body, method, headers }) => [
      path,
      body,
      method,
      headers['x-n'],
    ])
    expect(seen.sort()).toEqual([
      ['/1', '{"n":1}', 'POST', undefined],
      ['/2', '{"n":2}', 'PATCH', 'two'],
      ['/3', '{"n":3}', 'POST', undefined],
    ])
    expect(await client.queue({ queueName: 'batched' }).get()).toMatchObject({ parallelism: 1, lag: 0 })
  })

  it('holds a message for its delay and until its time', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ clock })
    const delayed = await client.publish({ url: `${destination.url}/delay`, delay: 10 })
    await client.publish({ url: `${destination.url}/unit`, delay: '1m' })
    const notBefore = clock.now() / 1000 + 3600
    await client.publish({ url: `${destination.url}/at`, notBefore, delay: 5 })
    expect((await client.messages.get(delayed.messageId)).notBefore).toBe(clock.now() + 10_000)

    const paths = () => destination.deliveries.map(({ path }) => path)
    clock.advance(9999)
    await qstash.idle()
    expect(paths()).toEqual([])
    clock.advance(1)
    await qstash.idle()
    expect(paths()).toEqual(['/delay'])
    clock.advance(50_000)
    await qstash.idle()
    expect(paths()).toEqual(['/delay', '/unit'])
    clock.advance(3_540_000 - 1)
    await qstash.idle()
    expect(paths()).toHaveLength(2)
    clock.advance(1)
    await qstash.idle()
    expect(paths()).toEqual(['/delay', '/unit', '/at'])
  })

  it('reaches every endpoint of a URL group', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    await client.urlGroups.addEndpoints({
      name: 'everyone',
      endpoints: [{ url: `${destination.url}/a`, name: 'first' }, { url: `${destination.url}/b` }],
    })
    const answers = await client.publishJSON({ urlGroup: 'everyone', body: 1, deduplicationId: 'once' })
    await qstash.idle()
    expect(answers).toHaveLength(2)
    expect(destination.deliveries.map(({ path }) => path).sort()).toEqual(['/a', '/b'])

    await client.urlGroups.removeEndpoints({ name: 'everyone', endpoints: [{ name: 'first' }] })
    expect(await client.urlGroups.get('everyone')).toMatchObject({
      endpoints: [{ url: `${destination.url}/b` }],
    })
    await client.urlGroups.delete('everyone')
    expect(await client.urlGroups.list()).toEqual([])
  })
})

describe('deduplication', () => {
  it('answers with the first message for ten minutes', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ clock })
    const publish = () => client.publishJSON({ url: destination.url, body: {}, deduplicationId: 'plan_1' })
    const first = await publish()
    await qstash.idle()
    clock.advance(599_999)
    expect(await publish()).toEqual({ messageId: first.messageId, deduplicated: true })
    clock.advance(1)
    const later = await publish()
    expect(later.messageId).not.toBe(first.messageId)
    expect(later).not.toHaveProperty('deduplicated')
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(2)
  })

  it('tells by content when asked to: destination, body and forwarded headers', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const publish = (path: string, body: unknown, tenant: string) =>
      client.publishJSON({
        url: `${destination.url}${path}`,
        body,
        headers: { 'x-tenant': tenant },
        contentBasedDeduplication: true,
      })
    const first = await publish('/a', { n: 1 }, 'acme')
    expect(await publish('/a', { n: 1 }, 'acme')).toEqual({ messageId: first.messageId, deduplicated: true })
    await publish('/a', { n: 2 }, 'acme')
    await publish('/a', { n: 1 }, 'other')
    await publish('/b', { n: 1 }, 'acme')
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(4)
  })

  it('works within a batch', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const [first, second] = await client.batchJSON([
      { url: destination.url, body: 1, deduplicationId: 'same' },
      { url: destination.url, body: 2, deduplicationId: 'same' },
    ])
    await qstash.idle()
    expect(second).toEqual({ ...first, deduplicated: true })
    expect(destination.deliveries.map(({ body }) => body)).toEqual(['1'])
  })
})

describe('refusals', () => {
  it('refuses a wrong token and changes nothing', async () => {
    silenceClient()
    const destination = await startDestination()
    const { qstash } = await startLocal()
    const stranger = clientOf(qstash, 'another-token')
    await expect(stranger.publishJSON({ url: destination.url, body: 1 })).rejects.toMatchObject({
      status: 401,
      message: expect.stringMatching(/^\{"error":".+"\}$/),
    })
    await qstash.idle()
    expect(destination.deliveries).toEqual([])
  })

  it.each([
    ['example.com/hook', 400, 'endpoint has invalid scheme'],
    ['ftp://example.com', 400, 'endpoint has invalid scheme'],
    ['https%3A%2F%2Fexample.com', 400, 'endpoint has invalid scheme'],
    ['https://', 400, 'invalid destination url'],
    ['no-such-group', 404, 'not found'],
  ])('refuses the destination %s', async (url, status, message) => {
    silenceClient()
    const { client } = await startLocal()
    const refused = client.publishJSON({ url, body: 1 })
    await expect(refused).rejects.toMatchObject({ status, message: expect.stringContaining(message) })
  })

  it.each([
    [
      'a deduplication id with a colon',
      { deduplicationId: 'a:b' },
      400,
      "DeduplicationId cannot contain ':'",
    ],
    ['many retries', { retries: 6 }, 412, 'quota maxRetries exceeded'],
    ['a retry delay that is code', { retryDelay: 'sleep(1)' }, 400, 'invalid Upstash-Retry-Delay'],
    ['a long delay', { delay: 8 * 86_400 }, 412, 'quota maxDelay exceeded'],
    ['a late time', { notBefore: 4e9 }, 412, 'quota maxDelay exceeded'],
    ['a large body', { body: 'x'.repeat(1_048_577) }, 412, 'quota maxMessageSize exceeded'],
    ['a callback that is no URL', { callback: 'example.com' }, 400, 'invalid Upstash-Callback'],
    ['a timeout that is none', { headers: { 'Upstash-Timeout': 'soon' } }, 400, 'invalid Upstash-Timeout'],
    [
      'flow control without a key',
      { headers: { 'Upstash-Flow-Control-Value': 'rate=1' } },
      400,
      'needs an Upstash-Flow-Control-Key',
    ],
    [
      'flow control that is not in numbers',
      { headers: { 'Upstash-Flow-Control-Key': 'k', 'Upstash-Flow-Control-Value': 'rate=fast' } },
      400,
      'should be either rate=X or parallelism=Y',
    ],
  ])('refuses %s', async (_name, request, status, message) => {
    silenceClient()
    const { client } = await startLocal()
    const refused = client.publish({ url: 'http://127.0.0.1:9/', ...request })
    await expect(refused).rejects.toMatchObject({ status, message: expect.stringContaining(message) })
  })

  it('answers 429 beyond the day’s messages, as the client knows it', async () => {
    silenceClient()
    const clock = new ManualClock('2026-11-22T23:59:59Z')
    const destination = await startDestination()
    const { client } = await startLocal({ clock, limits: { messagesPerDay: 1 } })
    const publish = () => client.publish({ url: destination.url })
    await publish()
    await expect(publish()).rejects.toMatchObject({
      name: 'QstashDailyRatelimitError',
      status: 429,
      limit: '1',
      remaining: '0',
      reset: String(Date.parse('2026-11-23T00:00:00Z') / 1000),
    })
    clock.advance(1000)
    await expect(publish()).resolves.toHaveProperty('messageId')
  })

  it('says what it is not', async () => {
    const { qstash } = await startLocal()
    const headers = { authorization: `Bearer ${TOKEN}` }
    const answer = await fetch(`${qstash.url}/v2/workflows/runs`, { headers })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({ error: expect.stringContaining('not part of the local QStash') })
  })
})
