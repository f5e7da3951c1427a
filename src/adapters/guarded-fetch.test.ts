import { afterEach, describe, expect, it, vi } from 'vitest'
import { platformFailure } from './platforms/test-network.ts'
import { guarded, ok } from './test-fetch.ts'

describe('the names of a guarded fetch', () => {
  it.each([[['127.0.0.1']], [['93.184.216.34', '10.0.0.1']], [['2606:4700::1', '::1']], [['nonsense']]])(
    'refuses a name that resolves to %j',
    async (addresses) => {
      const { fetch, calls } = guarded(ok, { resolveAddresses: async () => addresses })
      const failure = await platformFailure(fetch('https://rebound.example/'))
      expect(failure.kind).toBe('refused')
      // The answer must not tell what the names of a private network resolve to.
      for (const address of addresses) expect(failure.message).not.toContain(address)
      expect(calls).toEqual([])
    },
  )

  it('calls a name whose addresses are all public, and resolves no address', async () => {
    const resolveAddresses = vi.fn(async () => ['93.184.216.34', '2606:4700::1'])
    const { fetch } = guarded(ok, { resolveAddresses })
    await fetch('https://public.example/')
    await fetch('https://8.8.8.8/')
    expect(resolveAddresses.mock.calls).toEqual([['public.example']])
  })

  it('resolves the name of each redirect', async () => {
    const { fetch, calls } = guarded(() => Response.redirect('https://inside.example/'), {
      resolveAddresses: async (name) => [name === 'inside.example' ? '192.168.1.1' : '93.184.216.34'],
    })
    expect((await platformFailure(fetch('https://outside.example/'))).kind).toBe('refused')
    expect(calls).toHaveLength(1)
  })

  it('allows a name of a private network only where that is allowed', async () => {
    const resolveAddresses = async () => ['10.0.0.1']
    const { fetch } = guarded(ok, { resolveAddresses, allowPrivateHosts: true })
    expect((await fetch('https://intra.example/')).status).toBe(200)
    const metadata = guarded(ok, {
      resolveAddresses: async () => ['169.254.169.254'],
      allowPrivateHosts: true,
    })
    expect((await platformFailure(metadata.fetch('https://intra.example/'))).kind).toBe('refused')
  })

  it('is transient when a name cannot be resolved, or not yet', async () => {
    const none = guarded(ok, { resolveAddresses: async () => [] })
    expect((await platformFailure(none.fetch('https://nowhere.example/'))).kind).toBe('transient')
    const broken = guarded(ok, {
      resolveAddresses: async () => {
        throw new Error('SERVFAIL')
      },
    })
    expect((await platformFailure(broken.fetch('https://nowhere.example/'))).kind).toBe('transient')
    expect(broken.calls).toEqual([])
  })
})

describe('the redirects of a guarded fetch', () => {
  const redirect = (location: string, status = 302) =>
    new Response('moved', { status, headers: { location } })

  it('follows three, tells where it ended, and asks the runtime to follow none', async () => {
    const { fetch, calls } = guarded((url) => {
      const step = Number(new URL(url).searchParams.get('step'))
      return step < 3 ? redirect(`/?step=${step + 1}`) : new Response('there')
    })
    const response = await fetch('https://example.com/?step=0')
    expect(await response.text()).toBe('there')
    expect(response.url).toBe('https://example.com/?step=3')
    expect(calls.map((call) => call.init.redirect)).toEqual(['manual', 'manual', 'manual', 'manual'])
  })

  it('gives up at the fourth', async () => {
    const { fetch, calls } = guarded(() => redirect('/again'))
    expect((await platformFailure(fetch('https://example.com/'))).kind).toBe('bad_answer')
    expect(calls).toHaveLength(4)
  })

  it.each([
    'http://example.com/',
    'https://127.0.0.1/',
    '//localhost/',
    'https://[::1]/',
    'https://169.254.169.254/',
    'https://a:b@example.com/',
    'https://example.com:8080/',
    'file:///etc/passwd',
    'http://[bad',
  ])('refuses one to %s', async (location) => {
    const { fetch, calls } = guarded(() => redirect(location))
    expect((await platformFailure(fetch('https://example.com/'))).kind).toBe('refused')
    expect(calls).toHaveLength(1)
  })

  it('cancels the body of each, which would hold its connection', async () => {
    let cancelled = 0
    const { fetch } = guarded((url) =>
      url.endsWith('/next')
        ? new Response('ok')
        : new Response(new ReadableStream({ cancel: () => void cancelled++ }), {
            status: 301,
            headers: { location: '/next' },
          }),
    )
    await fetch('https://example.com/')
    expect(cancelled).toBe(1)
  })

  it('tells another origin nothing confidential, and sends it no body', async () => {
    const { fetch, calls } = guarded((url) =>
      url.startsWith('https://a.example') ? redirect('https://b.example/', 307) : new Response('ok'),
    )
    await fetch('https://a.example/', {
      method: 'POST',
      body: 'secret',
      headers: {
        authorization: 'Bearer s',
        cookie: 's',
        'x-api-key': 's',
        'content-type': 'text/plain',
        'user-agent': 'T',
      },
    })
    const second = calls[1]
    expect(second?.init.method).toBe('GET')
    expect(second?.init.body).toBeUndefined()
    expect([...new Headers(second?.init.headers)]).toEqual([['user-agent', 'T']])
  })

  it.each([
    [303, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
    [301, 'HEAD', 'HEAD'],
    [303, 'HEAD', 'HEAD'],
  ])('after a %i of the same origin turns %s into %s', async (status, method, expected) => {
    const { fetch, calls } = guarded((url) =>
      url.endsWith('/next') ? new Response('ok') : redirect('/next', status),
    )
    const body = method === 'HEAD' ? null : 'text'
    await fetch('https://example.com/', {
      method,
      body,
      headers: { authorization: 's', 'content-type': 'a/b' },
    })
    const headers = new Headers(calls[1]?.init.headers)
    expect(calls[1]?.init.method).toBe(expected)
    expect(headers.get('authorization')).toBe('s')
    expect(headers.has('content-type')).toBe(expected !== 'GET')
    expect(calls[1]?.init.body ?? null).toBe(expected === 'GET' ? null : body)
  })

  it('answers with the redirect itself where that is asked for', async () => {
    const { fetch, calls } = guarded(() => redirect('https://127.0.0.1/'))
    const response = await fetch('https://example.com/', { redirect: 'manual' })
    expect([response.status, response.headers.get('location'), calls.length]).toEqual([
      302,
      'https://127.0.0.1/',
      1,
    ])
  })

  it('fails at the first where none may be followed', async () => {
    const { fetch } = guarded(() => redirect('/next'))
    expect((await platformFailure(fetch('https://example.com/', { redirect: 'error' }))).kind).toBe(
      'bad_answer',
    )
  })
})

describe('the bounds of a guarded fetch', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('reads an answer of exactly the bytes allowed', async () => {
    const { fetch } = guarded(() => new Response(new Uint8Array(1_000)), { maxBytes: 1_000 })
    expect((await (await fetch('https://example.com/')).arrayBuffer()).byteLength).toBe(1_000)
  })

  it('stops reading an endless answer, whatever length it announced', async () => {
    let cancelled = false
    let sent = 0
    const { fetch } = guarded(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              sent += 100
              controller.enqueue(new Uint8Array(100))
            },
            cancel: () => {
              cancelled = true
            },
          }),
          { headers: { 'content-length': '10' } },
        ),
      { maxBytes: 1_000 },
    )
    expect((await platformFailure(fetch('https://example.com/'))).kind).toBe('bad_answer')
    expect(cancelled).toBe(true)
    expect(sent).toBeLessThan(1_500)
  })

  it('ends after the time allowed when no answer comes, although the double ignores the signal', async () => {
    vi.useFakeTimers()
    const { fetch, calls } = guarded(() => new Promise(() => {}), { timeoutMs: 10_000 })
    const failure = platformFailure(fetch('https://example.com/'))
    await vi.advanceTimersByTimeAsync(9_999)
    expect(calls[0]?.init.signal?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect((await failure).kind).toBe('transient')
    expect((await failure).message).toContain('10 seconds')
    expect(calls[0]?.init.signal?.aborted).toBe(true)
  })

  it('counts the body, the names and the redirects into the same time', async () => {
    vi.useFakeTimers()
    const slowly = <T>(value: T): Promise<T> =>
      new Promise((resolve) => setTimeout(() => resolve(value), 4_000))
    const stuck = () => new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) }))
    const { fetch } = guarded(
      async (url) => slowly(url.endsWith('/next') ? stuck() : Response.redirect('https://example.com/next')),
      { resolveAddresses: async () => slowly(['93.184.216.34']) },
    )
    const failure = platformFailure(fetch('https://example.com/'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect((await failure).kind).toBe('transient')
  })

  it('leaves no timer behind', async () => {
    vi.useFakeTimers()
    const { fetch } = guarded(ok)
    await fetch('https://example.com/')
    await platformFailure(fetch('https://127.0.0.1/'))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends when its caller does', async () => {
    const controller = new AbortController()
    const { fetch } = guarded(() => new Promise(() => {}))
    const failure = platformFailure(fetch('https://example.com/', { signal: controller.signal }))
    controller.abort()
    expect((await failure).message).toBe('The call was cancelled.')
    const { calls, fetch: other } = guarded(() => new Promise(() => {}))
    expect((await platformFailure(other('https://example.com/', { signal: AbortSignal.abort() }))).kind).toBe(
      'transient',
    )
    expect(calls.length).toBeLessThanOrEqual(1)
  })

  it.each([
    [
      'the connection fails',
      () => {
        throw new TypeError('fetch failed')
      },
    ],
    [
      'the body breaks off',
      () => new Response(new ReadableStream({ start: (c) => c.error(new Error('reset')) })),
    ],
  ])('is transient when %s, and keeps the cause', async (_, reply) => {
    const { fetch } = guarded(reply)
    const failure = await platformFailure(fetch('https://example.com/'))
    expect(failure.kind).toBe('transient')
    expect(failure.retryable).toBe(true)
    expect(failure.cause).toBeInstanceOf(Error)
  })

  it('hands on status, headers and an empty body, without what described the bytes on their way', async () => {
    const { fetch } = guarded(
      () =>
        new Response(null, { status: 204, headers: { 'content-encoding': 'gzip', link: '<a>; rel=next' } }),
    )
    const response = await fetch('https://example.com/')
    expect([response.status, response.headers.get('link'), response.headers.has('content-encoding')]).toEqual(
      [204, '<a>; rel=next', false],
    )
    expect(await response.text()).toBe('')
  })
})
