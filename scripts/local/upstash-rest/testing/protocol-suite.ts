import { describe, expect, it } from 'vitest'
import type { RedisKind } from './redis-kinds.ts'
import { TOKEN, useStack } from './stack.ts'

/** The protocol itself, as curl would speak it. */
export function describeProtocol(kind: RedisKind): void {
  describe(`the REST protocol over ${kind}`, () => {
    const stack = useStack(kind)

    async function request(path: string, init: RequestInit = {}) {
      const headers = { authorization: `Bearer ${TOKEN}`, ...init.headers }
      const response = await fetch(`${stack.rest().url}${path}`, { ...init, headers })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? '' : JSON.parse(text) }
    }

    const post = (path: string, body: unknown, headers = {}) =>
      request(path, { method: 'POST', body: JSON.stringify(body), headers })

    it('takes a command from the path', async () => {
      expect((await request('/set/foo/b%20a%2Fr/EX/100')).body).toEqual({ result: 'OK' })
      expect((await request('/get/foo')).body).toEqual({ result: 'b a/r' })
      expect((await request('/ttl/foo')).body).toEqual({ result: 100 })
      expect((await request('/get/missing')).body).toEqual({ result: null })
    })

    it('takes a value from the body, and options from the query', async () => {
      await request('/set/foo?EX=100&NX=', { method: 'POST', body: 'värde' })
      expect((await request('/get/foo')).body).toEqual({ result: 'värde' })
      expect((await request('/ttl/foo')).body).toEqual({ result: 100 })
    })

    it('carries bytes that are no text, in base64', async () => {
      const bytes = new Uint8Array([0, 255, 128, 13, 10, 195])
      await request('/set/bytes', { method: 'POST', body: bytes })
      const encoded = await request('/get/bytes', { headers: { 'upstash-encoding': 'base64' } })
      expect(encoded.body).toEqual({ result: Buffer.from(bytes).toString('base64') })
    })

    it('encodes all strings in base64 but a plain OK, and no numbers', async () => {
      const headers = { 'upstash-encoding': 'base64' }
      expect((await post('/', ['SET', 'foo', 'bar'], headers)).body).toEqual({ result: 'OK' })
      expect((await post('/', ['GET', 'foo'], headers)).body).toEqual({ result: 'YmFy' })
      expect((await post('/', ['STRLEN', 'foo'], headers)).body).toEqual({ result: 3 })
      const nested = await post('/', ['EVAL', "return { 'OK', 1, { 'bar' }, false }", 0], headers)
      expect(nested.body).toEqual({ result: ['T0s=', 1, ['YmFy'], null] })
      const pipeline = await post('/pipeline', [['SET', 'a', 1], ['GET', 'foo'], ['NOPE']], headers)
      expect(pipeline.body.slice(0, 2)).toEqual([{ result: 'OK' }, { result: 'YmFy' }])
      expect(pipeline.body[2].error).toMatch(/^ERR unknown command 'NOPE'/i)
    })

    it('leaves strings as they are without the header', async () => {
      await post('/', ['HSET', 'hash', 'a', 'é', 'b', 2])
      expect((await post('/', ['HGETALL', 'hash'])).body).toEqual({ result: ['a', 'é', 'b', '2'] })
      expect((await post('/', ['ZADD', 'z', 1.5, 'm', true, 'n'])).body.error).toBe(
        'ERR value is not a valid float',
      )
    })

    it('answers 401 without the token, whatever else is wrong', async () => {
      const answer = await fetch(`${stack.rest().url}/get/foo`)
      expect(answer.status).toBe(401)
      expect(await answer.json()).toEqual({ error: 'Unauthorized' })
      const wrong = await request('/pipeline', { method: 'POST', headers: { authorization: 'Bearer x' } })
      expect(wrong.status).toBe(401)
    })

    it.each([
      ['/', '{"a":1}', /not an array/],
      ['/', '[', /not JSON/],
      ['/', '[]', /empty command/],
      ['/', '["SET","a",{"b":1}]', /strings, numbers and booleans/],
      ['/pipeline', '[]', /not an array of commands/],
      ['/pipeline', '["GET","a"]', /not an array/],
      ['/', '["GET"]', /^ERR wrong number of arguments for 'get' command$/],
      ['/', '["SET","a","b","EX","x"]', /^ERR value is not an integer or out of range$/],
      ['/', '["SET","a","b","WRONG"]', /^ERR syntax error$/],
    ])('answers 400 to POST %s %s', async (path, body, message) => {
      const answer = await request(path, { method: 'POST', body })
      expect(answer.status).toBe(400)
      expect(answer.body.error).toMatch(message)
    })

    it('answers 400 to a transaction that is discarded', async () => {
      const commands = [['SET', 'a', 1], ['NOPE']]
      const answer = await post('/multi-exec', commands)
      expect(answer.status).toBe(400)
      expect(answer.body.error).toMatch(/^EXECABORT Transaction discarded because of: ERR unknown command/)
      expect((await request('/exists/a')).body).toEqual({ result: 0 })
    })

    it.each(['MULTI', 'SELECT', 'subscribe', 'CONFIG', 'BLPOP', 'SHUTDOWN', 'CLIENT', 'MONITOR'])(
      'refuses %s, which would change the connection or the server',
      async (name) => {
        const answer = await post('/', [name, 'a', '0'])
        expect(answer.status).toBe(400)
        expect(answer.body.error).toBe(`ERR Command is not available: '${name}'`)
        const pipeline = await post('/pipeline', [['SET', 'a', 1], [name], ['GET', 'a']])
        expect(pipeline.body).toEqual([{ result: 'OK' }, answer.body, { result: '1' }])
        expect((await post('/multi-exec', [[name]])).status).toBe(400)
      },
    )

    it('refuses other methods, streams and formats', async () => {
      const deleted = await request('/get/foo', { method: 'DELETE' })
      expect(deleted.status).toBe(405)
      expect(deleted.headers.get('allow')).toBe('GET, HEAD, POST, PUT')
      expect((await request('/subscribe/channel', { method: 'POST' })).status).toBe(400)
      const resp = await request('/get/foo', { headers: { 'upstash-response-format': 'resp2' } })
      expect(resp.status).toBe(400)
    })

    it('takes bodies up to 10 MB and no larger', async () => {
      const value = 'x'.repeat(10 * 1024 * 1024 - 100)
      expect((await post('/', ['SET', 'large', value])).body).toEqual({ result: 'OK' })
      expect((await request('/strlen/large')).body).toEqual({ result: value.length })
      const answer = await post('/', ['SET', 'large', `${value}${value}`])
      expect(answer.status).toBe(413)
      expect(answer.body.error).toMatch(/^ERR max request size exceeded/)
    })

    it('gives a sync token, and gives back the one it gets', async () => {
      const issued = (await request('/get/foo')).headers.get('upstash-sync-token') ?? ''
      expect(issued).not.toBe('')
      const echoed = await request('/get/foo', { headers: { 'upstash-sync-token': 'mine' } })
      expect(echoed.headers.get('upstash-sync-token')).toBe('mine')
    })
  })
}
