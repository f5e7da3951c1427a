import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Answer, Client, expectProblem, nobody, pointersOf } from './support/client.ts'
import { operations } from './support/openapi.ts'
import { bearer, freshIp, importFile, makeKey, ndjson, type Person, signUp } from './support/people.ts'
import { stack } from './support/stack.ts'

const OVERVIEW = '/api/v1/dashboard/overview?period=28d'
const PUBLIC = '/api/v1/public/trending/hashtags'
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
const PAGE =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
/** As many failures as an address has in a minute, and as many connections as they come by. */
const FAILURES_A_MINUTE = 60
const WRONG_KEY = () =>
  `Bearer tm_${Array.from({ length: 43 }, () => 'AbCdEf012'[Math.floor(Math.random() * 9)]).join('')}`

let person: Person
beforeAll(async () => {
  person = await signUp()
  await importFile(person.key, {
    handle: 'hardening',
    body: ndjson([{ post_id: 'h-1', posted_at: new Date().toISOString(), likes: 1 }]),
  })
})

/** Somebody at an address of their own, so that nobody else's failures count. */
const stranger = (headers: Record<string, string> = {}) =>
  new Client({ 'cf-connecting-ip': freshIp(), ...headers })

/** Answers of every kind that the Worker gives, by what is asked. */
const ANSWERS: [name: string, status: number, ask: () => Promise<Answer>][] = [
  ['JSON', 200, () => person.key.get('/api/v1/me')],
  ['JSON for a cookie', 200, () => person.session.get('/api/v1/me')],
  ['a cached answer', 200, () => person.key.get(OVERVIEW)],
  [
    'an answer that is known',
    304,
    async () => {
      const { headers } = await person.key.get(OVERVIEW)
      return person.key.get(OVERVIEW, { 'if-none-match': headers.get('etag') ?? '' })
    },
  ],
  ['a HEAD', 200, () => person.key.send('HEAD', '/api/v1/me')],
  ['an answer without a body', 204, () => person.key.send('OPTIONS', '/api/v1/accounts')],
  [
    'a key that was made',
    201,
    () => person.session.post('/api/v1/api-keys', { name: 'x', scopes: ['read'] }),
  ],
  ['a ticket', 201, () => person.key.post('/api/v1/realtime/tickets')],
  ['public trends', 200, () => stranger().get(PUBLIC)],
  ['a refused field', 400, () => person.key.get('/api/v1/posts?limit=0')],
  ['nobody', 401, () => stranger().get('/api/v1/me')],
  ['a wrong key', 401, () => stranger({ authorization: WRONG_KEY() }).get(OVERVIEW)],
  [
    'a scope that is missing',
    403,
    async () => {
      const { key } = await makeKey(person.session, ['read'])
      return bearer(key).post('/api/v1/accounts', { platform: 'bluesky', handle: 'x.example' })
    },
  ],
  ['an unknown thing', 404, () => person.key.get('/api/v1/accounts/nothing')],
  ['an unknown path', 404, () => person.key.get('/api/v1/nothing')],
  ['an unknown version', 404, () => stranger().get('/api/v2/me')],
  ['a method that is not there', 405, () => stranger().send('PUT', '/api/v1/me')],
  ['a preflight from here', 204, () => preflight(stack.partnerOrigin)],
  ['a preflight from elsewhere', 403, () => preflight('https://elsewhere.example')],
  ['a wrong kind of body', 415, () => person.key.send('POST', '/api/v1/accounts', { body: 'x' })],
  ['the documentation', 200, () => nobody.get('/docs')],
  ['its style', 200, () => nobody.get('/docs/style.css')],
  ['the description', 200, () => nobody.get('/openapi.json')],
  ['the problems', 200, () => nobody.get('/problems')],
  ['a problem', 200, () => nobody.get('/problems/not_found')],
  ['an unknown problem', 404, () => nobody.get('/problems/nothing')],
  ['a page that is not there', 404, () => nobody.get('/docs/nothing')],
  ['health', 200, () => nobody.get('/healthz')],
  ['readiness', 200, () => nobody.get('/readyz')],
  ['a session', 200, () => person.session.get('/auth/get-session')],
  ['no session', 200, () => stranger().get('/auth/get-session')],
  [
    'a wrong password',
    401,
    () => stranger().post('/auth/sign-in/email', { email: person.email, password: 'wrong password' }),
  ],
  ['an unknown path of signing in', 404, () => stranger().get('/auth/nothing')],
  ['an unsigned callback', 401, () => nobody.post('/callbacks/sync/plan', {})],
  ['a callback by GET', 404, () => nobody.get('/callbacks/sync/plan')],
  ['a live connection that is none', 426, () => stranger().get('/api/v1/realtime')],
]

const preflight = (origin: string) =>
  stranger().send('OPTIONS', '/api/v1/accounts', {
    headers: { origin, 'access-control-request-method': 'POST' },
  })

/** Which answers other people's caches may keep, and for how long at most. */
const SHARED: Record<string, string> = {
  'public trends': 'public, max-age=30, s-maxage=60, stale-while-revalidate=300',
  'the documentation': 'public, max-age=300',
  'its style': 'public, max-age=3600',
  'the description': 'public, max-age=300',
  'the problems': 'public, max-age=300',
  'a problem': 'public, max-age=300',
}
const PAGES = ['the documentation', 'the problems', 'a problem']

describe('every answer', () => {
  it.each(ANSWERS)('says what may be done with it: %s', async (name, status, ask) => {
    const answer = await ask()
    expect(answer.status).toBe(status)
    const { headers } = answer
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': name === 'public trends' ? 'cross-origin' : 'same-origin',
      'content-security-policy': PAGES.includes(name) ? PAGE : NO_PAGE,
      'x-request-id': expect.stringMatching(/./),
    })
    // The stack is reached over http: nobody may be tied to https there.
    expect(headers.has('strict-transport-security')).toBe(false)
    const shared = SHARED[name]
    if (shared !== undefined) expect(headers.get('cache-control')).toBe(shared)
    else expect(headers.get('cache-control')).toMatch(/no-store|^private, no-cache$/)
  })

  it('is for nobody else where a person asked: no shared cache may keep it, whatever is read', async () => {
    const reads = (await operations()).filter(({ method, isPublic }) => method === 'GET' && !isPublic)
    expect(reads.length).toBeGreaterThan(8)
    for (const { path } of reads) {
      const concrete = path.replace(/\{\w+\}/g, '00000000-0000-0000-0000-000000000000')
      for (const client of [person.key, person.session]) {
        const { headers, status } = await client.get(concrete)
        expect(`${path} ${status} ${headers.get('cache-control')}`).toMatch(
          / (private, no-store|private, no-cache|no-store)$/,
        )
      }
    }
  })

  it.each(ANSWERS.filter(([name]) => !/live connection/.test(name)))(
    'below /api and /auth says what is left of an allowance, and elsewhere nothing: %s',
    async (_, status, ask) => {
      const { headers } = await ask()
      const policy = /^"([a-z-]+)";q=(\d+);w=(\d+)$/.exec(headers.get('ratelimit-policy') ?? '')
      const left = /^"([a-z-]+)";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '')
      expect(policy?.[1]).toBe(left?.[1])
      if (policy === null || left === null) return expect(headers.has('ratelimit')).toBe(false)
      expect(Number(left[2])).toBeLessThanOrEqual(Number(policy[2]))
      expect(Number(left[3])).toBeGreaterThanOrEqual(1)
      expect(Number(left[3])).toBeLessThanOrEqual(Number(policy[3]) + 1)
      expect(status).toBeGreaterThanOrEqual(200)
    },
  )

  it('names the allowance that it was charged to', async () => {
    const nameOf = ({ headers }: Answer) => /^"([a-z-]+)"/.exec(headers.get('ratelimit') ?? '')?.[1]
    const named: Record<string, string | undefined> = {}
    for (const [name, , ask] of ANSWERS) named[name] = nameOf(await ask())
    expect(named).toMatchObject({
      JSON: 'reads',
      'an answer that is known': 'reads',
      'a key that was made': 'writes',
      'public trends': 'public',
      'a refused field': 'reads',
      nobody: 'unauthenticated',
      'a wrong key': 'unauthenticated',
      'a scope that is missing': 'writes',
      'an unknown thing': 'reads',
      'an unknown path': 'reads',
      'an unknown version': 'unauthenticated',
      'a method that is not there': 'unauthenticated',
      'a preflight from here': 'unauthenticated',
      'no session': 'unauthenticated',
      'a wrong password': 'sign-in',
      'an unknown path of signing in': 'unauthenticated',
      'the documentation': undefined,
      health: undefined,
      'an unsigned callback': undefined,
    })
  })
})

describe('guessing keys', () => {
  /** Fails so often. @returns the answers' statuses */
  async function guess(client: Client, times: number): Promise<number[]> {
    const statuses: number[] = []
    for (let i = 0; i < times; i++)
      statuses.push((await client.get('/api/v1/me', { authorization: WRONG_KEY() })).status)
    return statuses
  }

  it('is over after sixty in a minute, and says when it may go on', async () => {
    const client = stranger()
    expect(new Set(await guess(client, FAILURES_A_MINUTE))).toEqual(new Set([401]))
    for (const headers of [{ authorization: WRONG_KEY() }, { authorization: 'Basic x' }, {}]) {
      const answer = await client.get('/api/v1/me', headers)
      expectProblem(answer, 429, 'rate_limited')
      const waitSeconds = Number(answer.headers.get('retry-after'))
      expect(waitSeconds).toBeGreaterThan(0)
      expect(waitSeconds).toBeLessThanOrEqual(60)
      expect(answer.headers.get('ratelimit-policy')).toBe('"unauthenticated";q=60;w=60')
      expect(answer.headers.get('ratelimit')).toBe(`"unauthenticated";r=0;t=${waitSeconds}`)
    }
    // Elsewhere, and for what asks nobody who they are, nothing has changed.
    expect((await stranger({ authorization: WRONG_KEY() }).get('/api/v1/me')).status).toBe(401)
    expect((await client.get(PUBLIC)).status).toBe(200)
    expect((await client.get('/healthz')).status).toBe(200)
  })

  it('is counted by the networks of IPv6, of which one customer has all addresses', async () => {
    const network = `2001:db8:${freshIp().split('.').slice(2).join(':')}`
    for (let i = 0; i < FAILURES_A_MINUTE; i++)
      await new Client({ 'cf-connecting-ip': `${network}::${i}` }).get('/api/v1/me')
    const other = new Client({ 'cf-connecting-ip': `${network}:ffff:1:2:3` })
    expectProblem(await other.get('/api/v1/me'), 429, 'rate_limited')
  })

  it('does not lock out those of the same address who are known', async () => {
    const ip = { 'cf-connecting-ip': freshIp() }
    const known = person.key.with(ip)
    expect((await known.get('/api/v1/me')).status).toBe(200)
    const statuses = await guess(new Client(ip), FAILURES_A_MINUTE + 2)
    expect(statuses.slice(-2)).toEqual([429, 429])
    expect((await known.get('/api/v1/me')).status).toBe(200)
    expect((await person.session.with(ip).get('/api/v1/me')).status).toBe(200)
    // A page of a configured origin can read why.
    const refused = await new Client({ ...ip, origin: stack.partnerOrigin }).get('/api/v1/me')
    expectProblem(refused, 429, 'rate_limited')
    expect(refused.headers.get('access-control-allow-origin')).toBe(stack.partnerOrigin)
    expect(refused.headers.get('vary')).toMatch(/Origin/)
  })

  it('charges nothing to whoever succeeds', async () => {
    const ip = { 'cf-connecting-ip': freshIp() }
    const { headers } = await new Client(ip).get('/api/v1/me')
    expect(headers.get('ratelimit')).toMatch(/^"unauthenticated";r=59;/)
    for (let i = 0; i < 5; i++) expect((await person.key.with(ip).get('/api/v1/me')).status).toBe(200)
    const again = await new Client(ip).get('/api/v1/me')
    expect(again.headers.get('ratelimit')).toMatch(/^"unauthenticated";r=58;/)
  })
})

describe('bodies', () => {
  const json = { 'content-type': 'application/json' }

  it('that are too large and do not say so are not read to their end', async () => {
    let sentBytes = 0
    const total = 80_000_000
    const chunk = new Uint8Array(500_000).fill(0x20)
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull(controller) {
          if (sentBytes >= total) return controller.close()
          sentBytes += chunk.byteLength
          controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
    const answer = await person.key.send('POST', '/api/v1/accounts', { body, headers: json }).catch(String)
    // Whoever goes on sending may find the connection closed before they see the answer.
    if (typeof answer !== 'string') expectProblem(answer, 413, 'payload_too_large')
    expect(sentBytes).toBeGreaterThan(10_000_000)
    expect(sentBytes).toBeLessThan(total)
  })

  it('that are longer than they say are read no further than that', async () => {
    const text = '{"platform":"myspace"}'
    const answer = await speak(
      [
        'POST /api/v1/accounts HTTP/1.1',
        `Host: ${new URL(stack.url).host}`,
        `Authorization: Bearer ${person.apiKey}`,
        'Content-Type: application/json',
        `Content-Length: ${text.length - 1}`,
        'Connection: close',
        '',
        text,
      ].join('\r\n'),
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('not valid JSON')
  })

  it.each(['gzip', 'deflate', 'br', 'zstd', 'GZIP', 'gzip, identity'])(
    'are not taken compressed (%s)',
    async (encoding) => {
      const headers = { ...json, 'content-encoding': encoding }
      const body = new Uint8Array(gzipSync(JSON.stringify({ platform: 'bluesky', handle: 'x' })))
      const answer = await person.key.send('POST', '/api/v1/accounts', { body, headers })
      expectProblem(answer, 415, 'unsupported_media_type')
      const csv = { 'content-type': 'text/csv', 'content-encoding': encoding }
      const imported = await person.key.send('POST', '/api/v1/imports?platform=x&handle=z', {
        body,
        headers: csv,
      })
      expectProblem(imported, 415, 'unsupported_media_type')
    },
  )

  it('are taken where they say that they are as they are', async () => {
    const headers = { ...json, 'content-encoding': 'identity' }
    const answer = await person.key.send('POST', '/api/v1/accounts', { body: '{}', headers })
    expect(pointersOf(expectProblem(answer, 400, 'invalid_request'))).toEqual(['/handle', '/platform'])
  })
})

/** Says something to the stack as it stands, and answers what comes back. */
function speak(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(stack.url)
    const socket = connect(Number(port), hostname, () => socket.write(request))
    let heard = ''
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      heard += String(text)
    })
    socket.on('close', () => resolve(heard))
    socket.on('error', reject)
    socket.setTimeout(10_000, () => socket.destroy())
  })
}

describe('a handle with control characters', () => {
  it.each([
    'ada@soc\0ial.example',
    'ada@social.example\0',
    'a\u0001da@social.example',
    'ada@social\u007f.example',
    'https://social.example/@ada@x%00y.example',
  ])('is nobody’s, and asks nobody: %j', async (handle) => {
    const answer = await person.key.post('/api/v1/accounts', { platform: 'mastodon', handle })
    expect([400, 422]).toContain(answer.status)
    const problem = expectProblem(
      answer,
      answer.status,
      answer.status === 400 ? 'invalid_request' : 'account_not_found',
    )
    expect(pointersOf(problem)).toEqual(['/handle'])
  })
})
