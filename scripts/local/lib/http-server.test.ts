import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { HttpError, type HttpHandler, type HttpServer, listen, readBody, sendJson } from './http-server.ts'

let server: HttpServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(handler: HttpHandler): Promise<HttpServer> {
  server = await listen(handler)
  return server
}

test('answers on the loopback address, on the port that it names', async () => {
  const { url, port } = await serve((_req, res) => sendJson(res, 201, { ok: 'é' }, { 'x-extra': '1' }))
  expect(url).toBe(`http://127.0.0.1:${port}`)
  const response = await fetch(url)
  expect(response.status).toBe(201)
  expect(response.headers.get('x-extra')).toBe('1')
  expect(await response.json()).toEqual({ ok: 'é' })
})

test('a port that is taken is an error', async () => {
  const { port } = await serve(() => {})
  await expect(listen(() => {}, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('an HttpError is answered with its status, any other error with 500', async () => {
  const { url } = await serve(async (req) => {
    throw req.url === '/teapot' ? new HttpError(418, 'short and stout') : new Error('broken')
  })
  const teapot = await fetch(`${url}/teapot`)
  expect([teapot.status, await teapot.json()]).toEqual([418, { message: 'short and stout' }])
  const broken = await fetch(url)
  expect([broken.status, await broken.json()]).toEqual([500, { message: 'broken' }])
})

test('a handler that throws at once is answered, too', async () => {
  const { url } = await serve(() => {
    throw new HttpError(409, 'at once')
  })
  expect((await fetch(url)).status).toBe(409)
})

test('an error after the head was sent cuts the answer off', async () => {
  const { url } = await serve((_req, res) => {
    res.writeHead(200, { 'content-length': 10 })
    res.write('half')
    throw new Error('broken')
  })
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow()
})

test('a body is read whole up to the limit, and refused beyond it', async () => {
  const { url } = await serve(async (req, res) => {
    const body = await readBody(req, 5)
    sendJson(res, 200, body.toString())
  })
  const post = (body: string | ReadableStream) => {
    // Streams need `duplex`, which the DOM's types do not know yet.
    const init = { method: 'POST', body, duplex: 'half' }
    return fetch(url, init)
  }
  expect(await (await post('12345')).json()).toBe('12345')
  expect((await post('123456')).status).toBe(413)
  const undeclared = new Blob(['123', '456']).stream()
  expect((await post(undeclared)).status).toBe(413)
  expect(await (await post('again')).json()).toBe('again')
})

test('a client that hangs up within its body ends the reading', async () => {
  const reading = new Promise<unknown>((resolve) => {
    void serve((req) => readBody(req, 100).then(resolve, resolve)).then(({ port }) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nhalf')
        setTimeout(() => socket.destroy(), 20)
      })
    })
  })
  expect(await reading).toMatchObject({ status: 400 })
})

test('closing ends requests that are still being answered, and may be repeated', async () => {
  const own = await serve(() => {})
  const pending = fetch(own.url).catch((error: unknown) => error)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await Promise.all([own.close(), own.close()])
  expect(await pending).toBeInstanceOf(Error)
  await expect(fetch(own.url)).rejects.toThrow()
})
