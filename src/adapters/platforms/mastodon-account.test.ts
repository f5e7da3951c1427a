import { describe, expect, it } from 'vitest'
import { createRules } from './limits.ts'
import { createMastodonConnector } from './mastodon.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const connector = createMastodonConnector({ allowHttp: false, userAgent: 'Tidemark', ruleOf: createRules() })

const account = (changes: Record<string, unknown> = {}) => ({
  id: '109',
  username: 'ada',
  acct: 'ada',
  display_name: 'Ada',
  url: 'https://social.example/@ada',
  avatar: 'https://social.example/a.png',
  followers_count: 532,
  following_count: 120,
  statuses_count: 2044,
  ...changes,
})

const notFound = () => Response.json({ error: 'Record not found' }, { status: 404 })

/** Answers as if it had come from elsewhere, as a fetch does that followed a redirect. */
function from(url: string, body: unknown): Response {
  return Object.defineProperty(Response.json(body), 'url', { value: url })
}

interface Server {
  /** `acct` to account. */
  accounts?: Record<string, unknown>
  /** `user@domain` to the actor's address. */
  fingers?: Record<string, { href: string; subject?: string }>
}

/** A network of servers by host; what a server does not know it answers 404. */
function fediverse(servers: Record<string, Server>) {
  return testNetwork((url) => {
    const server = servers[url.host]
    if (url.pathname === '/api/v1/accounts/lookup')
      return server?.accounts?.[url.searchParams.get('acct') ?? ''] ?? notFound()
    const finger = server?.fingers?.[(url.searchParams.get('resource') ?? '').replace(/^acct:/, '')]
    if (finger === undefined) return new Response('', { status: 404 })
    const { href, subject } = finger
    return {
      subject,
      links: [
        { rel: 'http://webfinger.net/rel/profile-page', href: 'https://wrong.example/' },
        { rel: 'self', href },
      ],
    }
  })
}

describe('resolving a Mastodon account', () => {
  it.each([
    '@ada@social.example',
    'Ada@Social.Example',
    'https://social.example/@ada',
    'https://social.example/users/ada',
  ])('finds %s with one call', async (input) => {
    const network = fediverse({ 'social.example': { accounts: { ada: account(), Ada: account() } } })
    expect(await connector.resolve(network.ctx, input)).toEqual({
      externalId: '109',
      host: 'social.example',
      handle: 'ada@social.example',
      displayName: 'Ada',
      url: 'https://social.example/@ada',
      avatarUrl: 'https://social.example/a.png',
      followers: 532,
      following: 120,
      posts: 2044,
    })
    expect(network.urls).toHaveLength(1)
    expect(network.admitted.flatMap(({ rules }) => rules).map(({ key }) => key)).toEqual([
      'mastodon.calls:social.example',
    ])
  })

  it('does not ask for what can be no account', async () => {
    const network = fediverse({})
    expect((await platformFailure(connector.resolve(network.ctx, '@ada'))).kind).toBe('bad_request')
    expect(network.urls).toEqual([])
  })

  it('finds the server of a domain that has its API elsewhere, and keeps the handle', async () => {
    const network = fediverse({
      'example.com': {
        fingers: {
          'ada@example.com': {
            href: 'https://social.example.com/users/ada',
            subject: 'acct:ada@example.com',
          },
        },
      },
      'social.example.com': { accounts: { 'ada@example.com': account() } },
    })
    const profile = await connector.resolve(network.ctx, 'ada@example.com')
    expect([profile.handle, profile.host]).toEqual(['ada@example.com', 'social.example.com'])
    expect(network.admitted.flatMap(({ rules }) => rules).map(({ key }) => key)).toEqual([
      'mastodon.calls:example.com',
      'mastodon.calls:example.com',
      'mastodon.calls:social.example.com',
    ])
  })

  it.each([
    [
      'WebFinger',
      fediverse({
        'evil.example': {
          fingers: {
            'bank@evil.example': {
              href: 'https://social.example/users/ada',
              subject: 'acct:ada@social.example',
            },
          },
        },
        'social.example': {
          accounts: { ada: account(), 'ada@evil.example': account({ acct: 'ada@evil.example' }) },
        },
      }),
    ],
    [
      'a redirect',
      testNetwork((url) => {
        if (url.host === 'evil.example')
          return from('https://social.example/api/v1/accounts/lookup?acct=ada', account())
        return url.searchParams.get('acct') === 'ada' ? account() : notFound()
      }),
    ],
  ])('does not let a domain pass off another’s account as its own through %s', async (_, network) => {
    const profile = await connector.resolve(network.ctx, 'bank@evil.example')
    expect([profile.handle, profile.host]).toEqual(['ada@social.example', 'social.example'])
  })

  it('believes a domain whose whole address redirects to a server that vouches for it', async () => {
    const network = testNetwork((url) =>
      url.host === 'example.com'
        ? from('https://social.example.com/api/v1/accounts/lookup?acct=ada', account())
        : url.searchParams.get('acct') === 'ada@example.com'
          ? account()
          : notFound(),
    )
    const profile = await connector.resolve(network.ctx, 'ada@example.com')
    expect([profile.handle, profile.host]).toEqual(['ada@example.com', 'social.example.com'])
  })

  it('asks the home server of an account that a server knows from elsewhere', async () => {
    const network = fediverse({
      'big.example': {
        accounts: { ada: account({ acct: 'ada@social.example' }) },
        fingers: { 'ada@big.example': { href: 'https://social.example/users/ada' } },
      },
      'social.example': { accounts: { ada: account() } },
    })
    expect(await connector.resolve(network.ctx, 'ada@big.example')).toMatchObject({
      host: 'social.example',
      handle: 'ada@social.example',
    })
  })

  it.each([
    ['neither the server nor its domain knows it', fediverse({ 'social.example': {} })],
    ['the site is no Mastodon server', testNetwork(() => htmlPage(404))],
    ['the site answers everything with a page', testNetwork(() => htmlPage(200))],
    [
      'it is suspended',
      fediverse({
        'social.example': { accounts: { ada: account({ suspended: true, followers_count: 0 }) } },
      }),
    ],
    [
      'the domain points at itself',
      fediverse({
        'social.example': { fingers: { 'ada@social.example': { href: 'https://social.example/users/ada' } } },
      }),
    ],
    [
      'the server that is named does not know it',
      fediverse({
        'social.example': { fingers: { 'ada@social.example': { href: 'https://other.example/users/ada' } } },
      }),
    ],
    [
      'WebFinger names no server',
      testNetwork((url) =>
        url.pathname.startsWith('/api') ? notFound() : { links: [{ rel: 'self', href: 'mailto:x' }, 7] },
      ),
    ],
  ])('says that there is none when %s', async (_, network) => {
    expect((await platformFailure(connector.resolve(network.ctx, 'ada@social.example'))).kind).toBe('gone')
  })

  it.each([
    [503, 'transient'],
    [401, 'auth'],
    [403, 'permission'],
    [429, 'rate_limited'],
  ])('does not take status %i for an absence', async (status, kind) => {
    const network = testNetwork(() => Response.json({ error: 'no' }, { status }))
    expect((await platformFailure(connector.resolve(network.ctx, 'ada@social.example'))).kind).toBe(kind)
    expect(network.urls).toHaveLength(1)
  })

  it('says that the answer makes no sense when it does not', async () => {
    const network = testNetwork(() => ({ username: 'ada' }))
    expect((await platformFailure(connector.resolve(network.ctx, 'ada@social.example'))).kind).toBe(
      'bad_answer',
    )
  })

  it('follows an account that has moved, also within its server', async () => {
    const network = fediverse({
      'old.example': { accounts: { ada: account({ moved: account({ acct: 'ada@new.example' }) }) } },
      'new.example': {
        accounts: {
          ada: account({ moved: account({ acct: 'ada2' }) }),
          ada2: account({ id: '7', username: 'ada2' }),
        },
      },
    })
    expect(await connector.resolve(network.ctx, 'ada@old.example')).toMatchObject({
      externalId: '7',
      host: 'new.example',
      handle: 'ada2@new.example',
    })
  })

  it('gives up on an account that moves in circles', async () => {
    const network = fediverse({
      'old.example': { accounts: { ada: account({ moved: account({ acct: 'ada' }) }) } },
    })
    expect((await platformFailure(connector.resolve(network.ctx, 'ada@old.example'))).kind).toBe('gone')
    expect(network.urls).toHaveLength(4)
  })
})
