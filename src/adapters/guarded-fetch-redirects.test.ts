import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGuardedFetch, type GuardedFetchOptions } from './guarded-fetch.ts'
import { platformFailure } from './platforms/test-network.ts'

/**
 * Chains of redirects through a real server, which plays every host of the internet: names are answered by a
 * stand-in for the resolver, and connections are led to the server instead of to what the names stand for.
 */

interface Heard {
  host: string
  path: string
  method: string
  headers: IncomingHttpHeaders
}

/** Where each `host/path` redirects to, and how; what is not listed is answered. */
let redirects: Record<string, { status: number; location: string }> = {}
let heard: Heard[] = []
const server = createServer((request, response) => {
  const host = String(request.headers['x-real-host'])
  const path = request.url ?? ''
  heard.push({ host, path, method: request.method ?? '', headers: request.headers })
  const redirect = redirects[`${host}${path}`]
  if (redirect === undefined) return response.end(`hello from ${host}`)
  return response.writeHead(redirect.status, { location: redirect.location }).end()
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  redirects = {}
  heard = []
})

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen')
  return address.port
}

const PUBLIC = ['93.184.216.34', '2606:2800:21f::1']

/** A guarded fetch whose every connection ends at the server. @param zone addresses of names that are not public */
function guardedOverServer(
  zone: Record<string, string[]> = {},
  options: Partial<GuardedFetchOptions> = {},
): ReturnType<typeof createGuardedFetch> {
  return createGuardedFetch({
    fetch: (address, init) => {
      const url = new URL(address)
      const headers = new Headers(init.headers)
      headers.set('x-real-host', url.host)
      const target = new URL(url.pathname + url.search, `http://127.0.0.1:${portOf(server.address())}`)
      return fetch(target, { ...init, headers })
    },
    resolveAddresses: async (name) => zone[name] ?? PUBLIC,
    ...options,
  })
}

/** Public hosts that redirect from one to the next, and the last of so many to `end`. */
function chain(hops: number, end: string, status = 302): void {
  for (let hop = 1; hop <= hops; hop++)
    redirects[`hop${hop}.example/`] = {
      status,
      location: hop === hops ? end : `https://hop${hop + 1}.example/`,
    }
}

const START = 'https://hop1.example/'
const hosts = () => heard.map(({ host }) => host)

describe('a chain of redirects', () => {
  const PRIVATE_ENDS: [string, Record<string, string[]>][] = [
    ['https://127.0.0.1/', {}],
    ['https://[::ffff:10.0.0.1]/', {}],
    ['https://localhost/', {}],
    ['https://169.254.169.254/latest/meta-data/', {}],
    ['https://inside.example/', { 'inside.example': ['10.1.2.3'] }],
    ['https://inside.example/', { 'inside.example': ['fd00::1'] }],
    // One of its addresses is enough, whichever it is.
    ['https://mixed.example/', { 'mixed.example': ['93.184.216.34', '192.168.0.1', '2606:2800:21f::1'] }],
    ['https://mixed.example/', { 'mixed.example': ['93.184.216.34', '::1'] }],
    ['https://mixed.example/', { 'mixed.example': ['2606:2800:21f::1', '::ffff:127.0.0.1'] }],
  ]

  it.each([1, 2, 3, 4, 5].flatMap((hop) => PRIVATE_ENDS.map(([end, zone]) => [hop, end, zone] as const)))(
    'is refused where hop %i leads to %s (%j), which is not called',
    async (hop, end, zone) => {
      chain(hop, end)
      const fetch = guardedOverServer(zone, { maxRedirects: 5 })
      const failure = await platformFailure(fetch(START))
      expect(failure.kind).toBe('refused')
      expect(hosts()).toEqual(Array.from({ length: hop }, (_, i) => `hop${i + 1}.example`))
      for (const address of Object.values(zone).flat()) expect(failure.message).not.toContain(address)
    },
  )

  it.each([1, 2, 3])('is refused where hop %i leads from https to http', async (hop) => {
    chain(hop, 'http://plain.example/')
    expect((await platformFailure(guardedOverServer()(START))).kind).toBe('refused')
    expect(heard).toHaveLength(hop)
  })

  it.each([1, 2, 3])('is refused where hop %i leads to another port', async (hop) => {
    chain(hop, 'https://plain.example:8443/')
    expect((await platformFailure(guardedOverServer()(START))).kind).toBe('refused')
    expect(heard).toHaveLength(hop)
  })

  it('ends at the third redirect, wherever the fourth would lead', async () => {
    chain(3, 'https://end.example/')
    expect(await (await guardedOverServer()(START)).text()).toBe('hello from end.example')
    heard = []
    chain(4, 'https://127.0.0.1/')
    expect((await platformFailure(guardedOverServer()(START))).kind).toBe('bad_answer')
    expect(hosts()).toEqual(['hop1.example', 'hop2.example', 'hop3.example', 'hop4.example'])
  })

  it('resolves a name anew at every hop: one that turns private meanwhile is refused', async () => {
    chain(1, 'https://back.example/')
    redirects['back.example/'] = { status: 302, location: START }
    let asked = 0
    const fetch = guardedOverServer(
      {},
      {
        resolveAddresses: async (name) =>
          name === 'hop1.example' && ++asked > 1 ? ['127.0.0.1'] : ['93.184.216.34'],
      },
    )
    expect((await platformFailure(fetch(START))).kind).toBe('refused')
    expect(hosts()).toEqual(['hop1.example', 'back.example'])
  })

  it.each([301, 302, 303, 307, 308])(
    'drops whatever may be a credential at the first other origin, and does not take it up again (%i)',
    async (status) => {
      redirects['hop1.example/'] = { status, location: '/same' }
      redirects['hop1.example/same'] = { status, location: 'https://other.example/' }
      redirects['other.example/'] = { status, location: 'https://hop1.example/again' }
      const secrets = { authorization: 'Bearer s3cret', cookie: 's3cret', 'x-api-key': 's3cret' }
      const response = await guardedOverServer()(START, { headers: { ...secrets, accept: 'a/b' } })
      expect(await response.text()).toBe('hello from hop1.example')
      const told = heard.map(({ host, path, headers }) => [
        host + path,
        headers.authorization,
        headers.accept,
      ])
      expect(told).toEqual([
        ['hop1.example/', 'Bearer s3cret', 'a/b'],
        ['hop1.example/same', 'Bearer s3cret', 'a/b'],
        ['other.example/', undefined, 'a/b'],
        ['hop1.example/again', undefined, 'a/b'],
      ])
      expect(JSON.stringify(heard.slice(2))).not.toContain('s3cret')
    },
  )

  it.each([307, 308])('does not carry a body to another origin (%i)', async (status) => {
    redirects['hop1.example/'] = { status, location: 'https://other.example/' }
    await guardedOverServer()(START, { method: 'POST', body: 's3cret' })
    expect(heard.map(({ method }) => method)).toEqual(['POST', 'GET'])
    expect(heard[1]?.headers['content-length']).toBeUndefined()
  })

  it('bounds the bytes of the last answer, and the time of all of them together', async () => {
    chain(2, 'https://end.example/')
    const small = guardedOverServer({}, { maxBytes: 10 })
    expect((await platformFailure(small(START))).kind).toBe('bad_answer')
    const slow = guardedOverServer(
      {},
      {
        timeoutMs: 150,
        resolveAddresses: () => new Promise((resolve) => setTimeout(() => resolve(PUBLIC), 80)),
      },
    )
    expect((await platformFailure(slow(START))).kind).toBe('transient')
    expect(hosts().slice(3)).not.toContain('end.example')
  })
})
