import { describe, expect, it } from 'vitest'
import { createRules } from './limits.ts'
import { createMastodonConnector } from './mastodon.ts'
import { ACCOUNT, notFound, problem, status } from './test-answers.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const connector = createMastodonConnector({ allowHttp: false, userAgent: 'Test', ruleOf: createRules() })
const TOKEN = 'the-token'
const REF = { externalId: '109', host: 'social.example', handle: 'ada@social.example' }
const accessToken = { value: TOKEN, host: 'social.example', allowance: 'account-1' }
const given = { value: TOKEN, allowance: 'account-1' }

if (connector.tokens === undefined) throw new Error('Mastodon takes tokens')
const { tokens } = connector

const finger = (host: string) => ({
  subject: 'acct:ada@example.com',
  links: [{ rel: 'self', href: `https://${host}/users/ada` }],
})

/** What was called, and whether with the token. */
const calls = ({ requests }: ReturnType<typeof testNetwork>) =>
  requests.map(
    ({ url, headers }) => `${headers.has('authorization') ? 'token' : 'plain'} ${url.host}${url.pathname}`,
  )

/** The allowances that calls were taken from, in order. */
const keysOf = ({ admitted }: ReturnType<typeof testNetwork>) =>
  admitted.flatMap(({ rules }) => rules.map(({ key }) => key))

describe('finding an account with a token', () => {
  it('asks the domain without it, and then the server that it names', async () => {
    const network = testNetwork((url) => {
      if (url.pathname === '/.well-known/webfinger') return finger('social.example')
      return url.searchParams.get('acct') === 'ada@example.com' ? ACCOUNT : notFound()
    })
    const found = await tokens.resolve(network.ctx, 'ada@example.com', given)
    expect(found.profile).toMatchObject({
      host: 'social.example',
      handle: 'ada@example.com',
      externalId: '109',
    })
    expect(found.accessToken).toEqual(accessToken)
    expect(calls(network)).toEqual([
      'plain example.com/.well-known/webfinger',
      'token social.example/api/v1/accounts/lookup',
    ])
    expect(network.requests[1]?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`)
    expect(keysOf(network)).toEqual([
      'mastodon.calls:example.com',
      'mastodon.calls:social.example:token:account-1',
    ])
  })

  it('takes the domain for the server where that says nothing else', async () => {
    const network = testNetwork((url) => (url.pathname.startsWith('/.well-known') ? notFound() : ACCOUNT))
    const found = await tokens.resolve(network.ctx, '@ada@social.example', given)
    expect(found.profile.handle).toBe('ada@social.example')
    expect(calls(network).at(-1)).toBe('token social.example/api/v1/accounts/lookup')
  })

  it.each([
    ['is not there', () => notFound(), 'gone'],
    ['is suspended', () => ({ ...ACCOUNT, suspended: true }), 'gone'],
    [
      'has moved, as no token goes along',
      () => ({ ...ACCOUNT, moved: { acct: 'ada@evil.example' } }),
      'gone',
    ],
    ['is another server\u2019s', () => ({ ...ACCOUNT, acct: 'ada@evil.example' }), 'gone'],
  ])('fails when it %s', async (_what, answer, kind) => {
    const network = testNetwork((url) =>
      url.pathname.startsWith('/.well-known') ? finger('social.example') : answer(),
    )
    const failure = await platformFailure(tokens.resolve(network.ctx, 'ada@social.example', given))
    expect(failure.kind).toBe(kind)
    expect(calls(network).some((call) => call.includes('evil'))).toBe(false)
  })

  it('fails when the server answers from elsewhere', async () => {
    const network = testNetwork((url) => {
      if (url.pathname.startsWith('/.well-known')) return finger('social.example')
      return Object.defineProperty(Response.json(ACCOUNT), 'url', { value: 'https://evil.example/x' })
    })
    expect((await platformFailure(tokens.resolve(network.ctx, 'ada@social.example', given))).kind).toBe(
      'bad_answer',
    )
  })
})

describe('reading with a token', () => {
  it('sends it to its own server alone, of several that are asked', async () => {
    const network = testNetwork((url) =>
      url.pathname.endsWith('/statuses')
        ? [status('1')]
        : url.searchParams.has('id[]')
          ? [ACCOUNT]
          : notFound(),
    )
    const ctx = { ...network.ctx, accessToken }
    await connector.fetchProfiles(ctx, [REF, { ...REF, host: 'other.example' }])
    await connector.fetchPosts(ctx, REF, 'max_id=5')
    await connector.refreshPosts(ctx, { host: 'other.example', account: null }, [{ id: '1', postedAtMs: 0 }])
    const kinds = Map.groupBy(calls(network), (call) => call.split('/')[0])
    expect([...kinds.keys()].toSorted()).toEqual(['plain other.example', 'token social.example'])
    expect(keysOf(network)).toContain('mastodon.pages:social.example:token:account-1')
    expect(network.urls.join()).not.toContain(TOKEN)
  })

  it('leaves out posts for chosen readers, which the token would show', async () => {
    const entries = ['public', 'unlisted', 'private', 'direct'].map((visibility, i) =>
      status(String(i), { visibility }),
    )
    const network = testNetwork(() => entries)
    const { posts } = await connector.fetchPosts({ ...network.ctx, accessToken }, REF, null)
    expect(posts.map(({ platformPostId }) => platformPostId)).toEqual(['0', '1'])
  })

  it.each([
    [401, 'auth', 'does not accept the access token'],
    [403, 'auth', 'does not let the access token read'],
    [404, 'gone', 'does not have this'],
    [429, 'rate_limited', 'call less often'],
    [500, 'transient', 'out of order'],
  ])('explains an answer %d, and repeats nothing of it', async (code, kind, text) => {
    const network = testNetwork(() => problem(code, `Your token ${TOKEN} is bad`))
    const failure = await platformFailure(connector.fetchPosts({ ...network.ctx, accessToken }, REF, null))
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringContaining(text)])
    expect(failure.message).not.toContain(TOKEN)
  })

  it('does not blame the token for a page of somebody before the server', async () => {
    const network = testNetwork(() => htmlPage(403))
    const failure = await platformFailure(connector.fetchPosts({ ...network.ctx, accessToken }, REF, null))
    expect(failure.kind).toBe('transient')
  })
})

describe('asking whose a token is', () => {
  const verify = (answer: () => unknown) => tokens.verify(testNetwork(answer).ctx, accessToken)

  it('takes that of any user of the server', async () => {
    await expect(verify(() => ({ ...ACCOUNT, id: '7', acct: 'somebody' }))).resolves.toBeUndefined()
  })

  it.each([
    ['unknown', () => problem(401, 'The access token is invalid'), 'auth', 'does not accept'],
    [
      'an application\u2019s',
      () => problem(422, 'This method requires an authenticated user'),
      'auth',
      'application',
    ],
    ['without the scope', () => problem(403, 'outside the authorized scopes'), 'auth', 'lacks a scope'],
    ['unheard of', () => notFound(), 'bad_answer', 'cannot be asked whose'],
    ['answered with nonsense', () => ({ hello: 'world' }), 'bad_answer', 'could not be understood'],
    ['answered with a page', () => htmlPage(200), 'transient', 'a page instead of data'],
  ])('refuses one that is %s', async (_what, answer, kind, text) => {
    const failure = await platformFailure(verify(answer))
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringContaining(text)])
  })
})
