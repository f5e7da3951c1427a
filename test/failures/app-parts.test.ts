import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import { API_KEY, startFailingUpstreams } from './upstreams.ts'

const OVERVIEW = '/api/v1/dashboard/overview'

let upstreams: Awaited<ReturnType<typeof startFailingUpstreams>>
beforeAll(async () => {
  upstreams = await startFailingUpstreams()
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterAll(() => upstreams.close())

async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const deps = upstreams.fail('breaks', { CORS_ORIGINS: 'https://partner.example' })
  const { fetch } = createApp(() => deps)
  const answer = await fetch(new Request(`https://tidemark.example.com${path}`, { method, headers }))
  const { status } = answer
  return { status, headers: answer.headers, text: await answer.text() }
}

describe('an address of which one part of the application serves reads', () => {
  it('refuses other methods in the words of the other part', async () => {
    const answer = await ask('POST', OVERVIEW)
    expect(answer).toMatchObject({
      status: 405,
      text: expect.stringContaining('POST is not available here.'),
    })
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })

  it('says what it allows, and to whose pages', async () => {
    expect((await ask('OPTIONS', OVERVIEW)).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    const preflight = { origin: 'https://partner.example', 'access-control-request-method': 'GET' }
    const answer = await ask('OPTIONS', OVERVIEW, preflight)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://partner.example')
  })

  it.each([OVERVIEW, '/api/v1/trending/hashtags', '/api/v1/trending/hashtags/summer', '/api/v1/accounts'])(
    'asks who reads %s, the same in either part',
    async (path) => {
      for (const method of ['GET', 'HEAD']) expect((await ask(method, path)).status, method).toBe(401)
      // Known, and the database fails.
      const known = await ask('GET', path, { authorization: `Bearer ${API_KEY}` })
      expect(known.status).toBeGreaterThanOrEqual(500)
    },
  )

  it('answers probes of any kind of reading, and what is nowhere with a problem', async () => {
    expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, text: expect.stringContaining('"ok"') })
    expect(await ask('HEAD', '/healthz')).toMatchObject({ status: 200, text: '' })
    expect((await ask('POST', '/healthz')).status).toBe(404)
    expect(await ask('GET', `${OVERVIEW}/more`)).toMatchObject({
      status: 401,
      text: expect.stringContaining('unauthorized'),
    })
    expect((await ask('GET', '/nothing')).headers.get('content-type')).toBe('application/problem+json')
  })
})
