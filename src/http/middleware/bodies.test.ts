import { Hono } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HttpEnv } from '../context.ts'
import { problemResponse } from '../problem.ts'
import { boundBody, MAX_JSON_BYTES } from './bodies.ts'

const app = new Hono<HttpEnv>()
app.onError((error, c) => problemResponse(error, { url: c.req.url, requestId: 'r' }))
app.use('*', boundBody)
app.all('*', async (c) => c.json({ length: (await c.req.text()).length }))

/** A body in chunks, and how much of it was asked for. */
function counted(chunkBytes: number, chunks: number) {
  const read = { bytes: 0, cancelled: false }
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (read.bytes >= chunkBytes * chunks) return controller.close()
        read.bytes += chunkBytes
        controller.enqueue(new Uint8Array(chunkBytes).fill(0x20))
      },
      cancel() {
        read.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, read }
}

async function send(
  body: BodyInit | null,
  headers: Record<string, string> = {},
  path = '/x',
  method = 'POST',
) {
  const init = { method, body, headers: { 'content-type': 'application/json', ...headers }, duplex: 'half' }
  const response = await app.request(path, init)
  return { status: response.status, body: JSON.parse(await response.text()) }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a body', () => {
  it('is read once, up to exactly the bytes allowed', async () => {
    const { stream, read } = counted(1_024, MAX_JSON_BYTES / 1_024)
    expect(await send(stream)).toEqual({ status: 200, body: { length: MAX_JSON_BYTES } })
    expect(read.bytes).toBe(MAX_JSON_BYTES)
  })

  it.each([
    ['says nothing of its length', {}],
    ['says that it is short', { 'content-length': '10' }],
    ['says nonsense', { 'content-length': 'much' }],
    ['says a negative length', { 'content-length': '-1' }],
  ])('that is too large and %s is read no further than the bound, and let go', async (_, headers) => {
    const chunkBytes = 64 * 1_024
    const { stream, read } = counted(chunkBytes, 10_000)
    expect(await send(stream, headers)).toMatchObject({ status: 413, body: { code: 'payload_too_large' } })
    expect(read.bytes).toBe(MAX_JSON_BYTES + chunkBytes)
    expect(read.cancelled).toBe(true)
  })

  it('that says that it is too large is not read at all', async () => {
    const { stream, read } = counted(1_024, 1)
    const answer = await send(stream, { 'content-length': String(MAX_JSON_BYTES + 1) })
    expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } })
    expect(read.bytes).toBe(0)
  })

  it.each(['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip', 'x-unknown'])(
    'that is compressed is not read (%s), an import’s neither',
    async (encoding) => {
      for (const path of ['/x', '/api/v1/imports']) {
        const { stream, read } = counted(1_024, 1)
        const answer = await send(stream, { 'content-encoding': encoding }, path)
        expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
        expect(read.bytes).toBe(0)
      }
    },
  )

  it.each(['identity', ' Identity ', ''])('may say that it is as it is (%j)', async (encoding) => {
    expect((await send('{}', { 'content-encoding': encoding })).status).toBe(200)
  })

  it('that never ends is given up, and let go', async () => {
    vi.useFakeTimers()
    let cancelled = false
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        // A byte every ten seconds.
        await new Promise((resolve) => setTimeout(resolve, 10_000))
        controller.enqueue(new Uint8Array([0x20]))
      },
      cancel() {
        cancelled = true
      },
    })
    const answer = send(stream)
    let isAnswered = false
    void answer.finally(() => {
      isAnswered = true
    })
    await vi.advanceTimersByTimeAsync(119_000)
    expect(isAnswered).toBe(false)
    await vi.advanceTimersByTimeAsync(1_001)
    expect(await answer).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_request',
        errors: [{ pointer: '', detail: 'did not arrive within 120 seconds' }],
      },
    })
    expect(cancelled).toBe(true)
  })

  it('that has arrived leaves no timer behind, and neither does one that was refused', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await send('{}')
    await send(counted(1_024 * 1_024, 20).stream)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of a request that has none is not looked for', async () => {
    expect((await app.request('/x', { method: 'DELETE' })).status).toBe(200)
    expect((await app.request('/x', { method: 'POST' })).status).toBe(200)
    expect((await send('', { 'content-type': 'text/plain' })).status).toBe(200)
    expect(await send('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 })
  })
})
