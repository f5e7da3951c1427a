import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { compressAnswer } from './compress.ts'

const LONG = JSON.stringify({ items: Array.from({ length: 200 }, (_, i) => ({ id: i, name: 'tide' })) })
const answer = (body: BodyInit | null, type: string, headers: Record<string, string> = {}, status = 200) =>
  new Response(body, { status, headers: { 'content-type': type, ...headers } })

it('compresses what is long enough, and says so', async () => {
  const sent = await compressAnswer(answer(LONG, 'application/json', { etag: '"a"' }), 'gzip, br')
  expect(Object.fromEntries(sent.headers)).toEqual({
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    vary: 'Accept-Encoding',
    etag: '"a-gzip"',
  })
  expect(gunzipSync(await sent.bytes()).toString()).toBe(LONG)
})

it('compresses what is sent while it is made, whatever its length', async () => {
  const rows = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('a,b\r\n'))
      controller.close()
    },
  })
  const sent = await compressAnswer(answer(rows, 'text/csv; charset=utf-8'), 'gzip')
  expect(sent.headers.get('content-encoding')).toBe('gzip')
  expect(gunzipSync(await sent.bytes()).toString()).toBe('a,b\r\n')
})

it.each([
  ['short', answer('{"a":1}', 'application/json'), 'gzip', '{"a":1}'],
  ['for a client that does not take it', answer(LONG, 'application/json'), 'br', LONG],
  ['for a client that says nothing', answer(LONG, 'application/problem+json'), undefined, LONG],
  ['a failure', answer(LONG, 'application/problem+json', {}, 503), 'gzip', LONG],
])('leaves as it is what is %s, and still varies', async (_what, given, acceptEncoding, body) => {
  const sent = await compressAnswer(given, acceptEncoding)
  expect(sent.headers.get('content-encoding')).toBeNull()
  expect(sent.headers.get('vary')).toBe('Accept-Encoding')
  expect(await sent.text()).toBe(body)
})

it('adds itself to what an answer varies by, once', async () => {
  const vary = async (given: string) =>
    (await compressAnswer(answer(LONG, 'application/json', { vary: given }), 'gzip')).headers.get('vary')
  expect(await vary('Origin')).toBe('Origin, Accept-Encoding')
  expect(await vary('Cookie, Accept-Encoding')).toBe('Cookie, Accept-Encoding')
})

it('leaves pictures alone, and what is compressed already', async () => {
  for (const given of [
    answer('x'.repeat(5_000), 'image/png'),
    answer('x'.repeat(5_000), 'application/json', { 'content-encoding': 'br' }),
  ])
    expect(await compressAnswer(given, 'gzip')).toBe(given)
})
