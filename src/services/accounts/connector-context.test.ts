import { describe, expect, it } from 'vitest'
import { PlatformError, type RateLimitRule, type RateSignal } from '../../ports.ts'
import { connectorContext, connectorOf } from './connector-context.ts'

const NOW_MS = Date.parse('2026-11-22T12:00:00Z')
const rule = (key: string): RateLimitRule => ({ key, limit: 300, windowSeconds: 300 })
const SIGNAL: RateSignal = { limit: 300, remaining: 12, resetAtMs: NOW_MS + 60_000 }

/** A context whose calls are answered by `respond`, and what it made of the answers. */
function start(respond: (url: string) => Response = () => new Response('{}')) {
  const spent: string[] = []
  const followed: { key: string; signal: RateSignal }[] = []
  const context = connectorContext(
    {
      clock: { now: () => NOW_MS },
      fetchFor: () => async (url) => respond(url),
      budget: {
        spend: async ({ key }) => {
          if (key === 'used up') throw new PlatformError('rate_limited', 'No.', { retryAfterMs: 5_000 })
          spent.push(key)
        },
        follow: ({ key }, signal) => void followed.push({ key, signal }),
      },
    },
    'mastodon',
  )
  return { context, spent, followed }
}

describe('what a connector works with', () => {
  it('takes every rule of a call from the budget, and holds what headers say against the first', async () => {
    const { context, spent, followed } = start()
    await context.spend(rule('a:paged'))
    await context.spend(rule('a'))
    await context.fetch('https://a.example/')
    context.onRateSignal(SIGNAL)
    expect(spent).toEqual(['a:paged', 'a'])
    expect(followed).toEqual([{ key: 'a:paged', signal: SIGNAL }])
  })

  it('holds it against the host that was called, also after another that said nothing', async () => {
    const { context, followed } = start()
    await context.spend(rule('a'))
    await context.fetch('https://a.example/')
    await context.spend(rule('b'))
    await context.fetch('https://b.example/')
    context.onRateSignal(SIGNAL)
    expect(followed).toEqual([{ key: 'b', signal: SIGNAL }])
  })

  it('makes no call that the budget does not grant', async () => {
    const { context } = start()
    await expect(context.spend(rule('used up'))).rejects.toMatchObject({ kind: 'rate_limited' })
  })

  it.each([
    ['seconds', '90', 90_000],
    ['an hour at most', '86400', 3_600_000],
  ])(
    'lets everybody wait where a refusal says no more than for how long (%s)',
    async (_what, after, waitMs) => {
      const { context, followed } = start(
        () => new Response('', { status: 429, headers: { 'retry-after': after } }),
      )
      await context.spend(rule('a'))
      await context.fetch('https://a.example/')
      expect(followed).toEqual([
        { key: 'a', signal: { limit: null, remaining: 0, resetAtMs: NOW_MS + waitMs } },
      ])
    },
  )

  it.each([
    ['says nothing more', 429, {}],
    ['is no refusal of this kind', 503, { 'retry-after': '90' }],
  ])('lets nobody wait where an answer %s', async (_what, status, headers) => {
    const { context, followed } = start(() => new Response('', { status, headers }))
    await context.spend(rule('a'))
    await context.fetch('https://a.example/')
    expect(followed).toEqual([])
  })
})

it('says of platforms without a connector that their posts can be imported', () => {
  expect(() => connectorOf({ connectors: {} }, 'instagram')).toThrow(
    expect.objectContaining({ code: 'platform_unsupported', message: expect.stringContaining('Instagram') }),
  )
})
