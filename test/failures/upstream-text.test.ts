import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { createApp } from '../../src/app.ts'
import type { AppDeps } from '../../src/deps.ts'
import { API_KEY, FAILURES, startFailingUpstreams, UPSTREAM_SECRET } from './upstreams.ts'

/** What would tell that somebody else's words, or our code's, have come through. */
const INNER_WORDS =
  /Hx7|postgres:|node_modules|\bat \S+ \(|\.ts:\d|\/srv\/|TypeError|SyntaxError|neon|upstash|drizzle|42P01|ECONN|fetch failed|127\.0\.0\.1/i

const Described = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
const METHODS = ['get', 'post', 'patch', 'put', 'delete']

const ID = '0193b3a0-0000-7000-8000-000000000003'
/** Bodies with which requests come as far as the upstreams. */
const BODIES: Record<string, unknown> = {
  'post /api/v1/api-keys': { name: 'x', scopes: ['read'] },
  'post /api/v1/accounts': { platform: 'bluesky', handle: 'ada.example.com' },
  'post /api/v1/accounts/batch': { accounts: [{ platform: 'bluesky', handle: 'ada.example.com' }] },
  'patch /api/v1/workspaces/{id}': { name: 'x' },
  'patch /api/v1/accounts/{id}': { brandId: null },
}

let upstreams: Awaited<ReturnType<typeof startFailingUpstreams>>
beforeAll(async () => {
  upstreams = await startFailingUpstreams()
})
afterAll(() => upstreams.close())

describe.each(FAILURES)('what is answered while every upstream %s', (failure) => {
  let deps: AppDeps
  const app = createApp(() => deps)
  let logged: string[] = []
  beforeEach(() => {
    deps = upstreams.fail(failure)
    logged = []
    vi.spyOn(console, 'log').mockImplementation((line) => void logged.push(String(line)))
  })

  const get = (url: string) => app.fetch(new Request(url))

  async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const request = new Request(`https://tidemark.example.com${path}`, {
      method: method.toUpperCase(),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const response = await app.fetch(request)
    const text = `${[...response.headers].map((pair) => pair.join(': ')).join('\n')}\n\n${await response.text()}`
    return { status: response.status, text, headers: response.headers }
  }

  it('holds no word of theirs, whatever is asked', async () => {
    const { paths } = Described.parse(await (await get('https://x.example/openapi.json')).json())
    const statuses = new Set<number>()
    for (const [path, item] of Object.entries(paths))
      for (const method of METHODS.filter((one) => one in item)) {
        const isImport = path === '/api/v1/imports'
        const concrete = path.replace(/\{\w+\}/g, ID) + (isImport ? '?platform=x&handle=a' : '')
        const body = isImport ? '{}\n' : (BODIES[`${method} ${path}`] ?? (method === 'get' ? undefined : {}))
        // A breaker that has opened would answer for all that come later.
        deps = upstreams.fail(failure)
        const answer = await ask(method, concrete, body, {
          authorization: `Bearer ${API_KEY}`,
          'idempotency-key': 'k',
          ...(isImport && { 'content-type': 'application/x-ndjson' }),
        })
        expect(`${method} ${path}\n${answer.text}`).not.toMatch(INNER_WORDS)
        statuses.add(answer.status)
      }
    // The upstreams were asked, and failed.
    expect([...statuses].some((status) => status >= 500)).toBe(true)
    expect(logged.length).toBeGreaterThan(0)
    expect(logged.join('\n')).not.toContain(`app:${UPSTREAM_SECRET}@`)
    expect(logged.join('\n')).not.toContain(`tm_${UPSTREAM_SECRET}`)
  })

  it.each<[string, string, unknown?, Record<string, string>?]>([
    ['get', '/readyz'],
    ['get', '/healthz'],
    ['get', '/api/v1/realtime?ticket=x'],
    ['get', '/auth/get-session', undefined, { cookie: '__Host-tidemark.session_token=a.b' }],
    ['post', '/auth/sign-in/email', { email: 'ada@example.com', password: 'correct horse battery' }],
    [
      'post',
      '/auth/sign-up/email',
      { email: 'ada@example.com', password: 'correct horse battery', name: 'A' },
    ],
    ['post', '/auth/sign-out', {}],
    ['get', '/auth/error?error=x'],
    ['post', '/callbacks/sync/plan', {}],
    ['post', '/callbacks/sync/plan', {}, { 'upstash-signature': 'eyJh.eyJh.x' }],
    ['get', '/docs/nothing'],
  ])('holds no word of theirs where the API is not asked: %s %s', async (method, path, body, headers) => {
    const written = vi.spyOn(console, 'error')
    const answer = await ask(method, path, body, headers)
    expect(answer.text).not.toMatch(INNER_WORDS)
    expect(written.mock.calls).toEqual([])
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('ties browsers to https, which it was asked by, and no others', async () => {
    const secured = 'max-age=31536000; includeSubDomains'
    for (const path of ['/healthz', '/readyz', '/docs', '/api/v1/me', '/auth/get-session', '/nothing'])
      expect((await ask('get', path)).headers.get('strict-transport-security'), path).toBe(secured)
    const plain = await get('http://tidemark.example.com/healthz')
    expect(plain.headers.has('strict-transport-security')).toBe(false)
  })
})
