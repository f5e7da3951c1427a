import { describe, expect, it } from 'vitest'
import type { AccountRef, ConnectorContext } from '../../ports.ts'
import { createRules } from './limits.ts'
import { platformFailure, type TestNetwork, testNetwork } from './test-network.ts'
import { createThreadsConnector } from './threads.ts'
import { THREADS_API_URL } from './threads-api.ts'

const ACCOUNT: AccountRef = { externalId: '26000000000000001', host: null, handle: 'adacharts' }
const SCOPE = { host: null, account: ACCOUNT }
const FIRST = 1_790_000_000
const connector = createThreadsConnector({
  app: { id: 'app-id', secret: 'app-secret' },
  apiUrl: THREADS_API_URL,
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})

interface Known {
  id: string
  /** Seconds since 1970. */
  at: number
  edge?: 'replies'
}

const signedIn = ({ ctx }: TestNetwork): ConnectorContext => ({
  ...ctx,
  accessToken: { value: 'THAA', host: 'graph.threads.net', allowance: 'account' },
})
const refOf = ({ id, at }: Known) => ({ id, postedAtMs: at * 1_000 })
const entry = ({ id, at }: Known) => ({
  id,
  media_type: 'TEXT_POST',
  timestamp: new Date(at * 1_000).toISOString(),
  insights: { data: [{ name: 'likes', values: [{ value: Number(id) }] }] },
})
const gone = () => Response.json({ error: { code: 100, error_subcode: 33, message: '' } }, { status: 400 })

/** Threads with these posts, in pages of `size`; the bounds of time are meant, or are not. */
function threads(posts: readonly Known[], { size = 100, isInclusive = true } = {}): TestNetwork {
  const slack = isInclusive ? 0 : 1
  return testNetwork((url) => {
    const [, , node = '', edge] = url.pathname.split('/')
    if (edge === undefined) {
      const post = posts.find(({ id }) => id === node)
      return post === undefined ? gone() : entry(post)
    }
    const number = (name: string, otherwise: number) => Number(url.searchParams.get(name) ?? otherwise)
    const [since, until, skip] = [number('since', 0), number('until', 2 ** 40), number('after', 0)]
    const all = posts
      .filter((post) => (post.edge ?? 'threads') === edge)
      .filter(({ at }) => at >= since + slack && at <= until - slack)
      .toSorted((a, b) => b.at - a.at)
    const data = all.slice(skip, skip + size).map(entry)
    const after = String(skip + size)
    return { data, paging: { cursors: { after }, ...(all.length > skip + size && { next: 'https://x' }) } }
  })
}

/** As the platform's ids are: digits. The youngest is the first. */
const series = (count: number, step = 60): Known[] =>
  Array.from({ length: count }, (_, i) => ({ id: String(5_000 - i), at: FIRST - i * step }))

describe.each([true, false])('refreshing Threads posts, bounds of time meant: %s', (isInclusive) => {
  it('takes one call for a hundred that stand together', async () => {
    const posts = series(100)
    const network = threads(posts, { isInclusive })
    const found = await connector.refreshPosts(signedIn(network), SCOPE, posts.map(refOf))
    expect(found.map((post) => post.metrics.likes)).toEqual(posts.map(({ id }) => Number(id)))
    expect(network.admitted).toMatchObject([{ operation: 'posts.refresh', items: 100 }])
    const [span] = network.requests.map(({ url }) => [
      Number(url.searchParams.get('since')),
      Number(url.searchParams.get('until')),
    ])
    expect(span).toEqual([FIRST - 99 * 60 - 1, FIRST + 1])
  })

  it('leaps over what is not asked for', async () => {
    const posts = series(1_000)
    const wanted = [posts[0], posts[1], posts[500], posts[501], posts[999]].filter(
      (post) => post !== undefined,
    )
    const network = threads(posts, { isInclusive })
    const found = await connector.refreshPosts(signedIn(network), SCOPE, wanted.map(refOf))
    expect(found.map(({ platformPostId }) => platformPostId)).toEqual(wanted.map(({ id }) => id))
    // Two pages of the list; the last one, then alone, by itself.
    expect(network.admitted).toHaveLength(3)
  })

  it('goes on within a second of which there are more posts than a page has', async () => {
    const posts = series(5, 0)
    const network = threads(posts, { size: 2, isInclusive })
    const found = await connector.refreshPosts(signedIn(network), SCOPE, posts.map(refOf))
    expect(new Set(found.map(({ platformPostId }) => platformPostId))).toEqual(
      new Set(posts.map(({ id }) => id)),
    )
    expect(network.urls.some((url) => url.includes('after='))).toBe(true)
  })

  it('looks among the replies for what is not among the posts, and asks by id for the rest', async () => {
    const posts = [
      ...series(4),
      ...series(3).map((one) => ({ ...one, id: `9${one.id}`, edge: 'replies' as const })),
    ]
    const wanted = [...posts, { id: '777', at: FIRST - 30 }]
    const network = threads(posts, { isInclusive })
    const found = await connector.refreshPosts(signedIn(network), SCOPE, wanted.map(refOf))
    expect(new Set(found.map(({ platformPostId }) => platformPostId))).toEqual(
      new Set(posts.map(({ id }) => id)),
    )
    expect(found.filter(({ kind }) => kind === 'reply')).toHaveLength(3)
    expect(network.requests.map(({ url }) => url.pathname.split('/').slice(2).join('/'))).toEqual([
      `${ACCOUNT.externalId}/threads`,
      `${ACCOUNT.externalId}/replies`,
      '777',
    ])
  })
})

describe('a Threads post', () => {
  it('is gone only when Threads says so: whatever else is wrong fails the call', async () => {
    const wanted = series(2)
    expect(await connector.refreshPosts(signedIn(threads([])), SCOPE, wanted.map(refOf))).toEqual([])
    const network = testNetwork((url) =>
      url.pathname.includes(ACCOUNT.externalId)
        ? { data: [] }
        : Response.json({ error: { code: 2, message: '' } }, { status: 500 }),
    )
    const failure = await platformFailure(connector.refreshPosts(signedIn(network), SCOPE, wanted.map(refOf)))
    expect(failure.kind).toBe('transient')
  })

  it('costs at most two calls, whatever the lists are like', async () => {
    const wanted = series(30, 86_400)
    const endless = testNetwork((url) =>
      url.pathname.includes(ACCOUNT.externalId)
        ? { data: [], paging: { cursors: { after: 'B' }, next: 'https://x' } }
        : gone(),
    )
    expect(await connector.refreshPosts(signedIn(endless), SCOPE, wanted.map(refOf))).toEqual([])
    expect(endless.admitted.length).toBeLessThanOrEqual(60)
  })

  it('is asked for with its account, and only where its id can be one', async () => {
    const network = threads([])
    const nobody = { host: null, account: null }
    const failure = platformFailure(connector.refreshPosts(signedIn(network), nobody, series(1).map(refOf)))
    expect((await failure).kind).toBe('bad_request')
    const imported = [{ id: 'imported-1', postedAtMs: 0 }]
    expect(await connector.refreshPosts(signedIn(network), SCOPE, imported)).toEqual([])
    expect(network.urls).toEqual([])
  })
})
