import { describe, expect, it } from 'vitest'
import {
  accountsChanged,
  changedPosts,
  namesNothing,
  syncedAccountId,
  updatedJobId,
  withMetrics,
} from './live-events.ts'

describe('live events', () => {
  it('reads the posts of metrics.updated', () => {
    const data = {
      accounts: [],
      posts: [{ id: 'p1', metrics: { likes: 4, views: null, note: 'x' } }, { metrics: {} }, 7],
    }
    expect([...changedPosts(data)]).toEqual([['p1', { likes: 4, views: null }]])
  })

  it.each([null, undefined, 'text', 7, [], { posts: {} }])(
    'understands nothing in %j, and survives it',
    (data) => {
      expect(changedPosts(data).size).toBe(0)
      expect(syncedAccountId(data)).toBeNull()
      expect(updatedJobId(data)).toBeNull()
    },
  )

  it('tells a change of accounts from a change of their counts', () => {
    expect(accountsChanged({ accounts: [{ id: 'a1', delta: { likes: 3 } }], posts: [] })).toBe(false)
    expect(
      accountsChanged({
        accounts: [
          { id: 'a1', delta: { likes: 3 } },
          { id: 'a2', delta: {} },
        ],
      }),
    ).toBe(true)
    expect(accountsChanged(null)).toBe(false)
    expect(accountsChanged({ accounts: [], posts: [] })).toBe(true)
    expect(namesNothing({ accounts: [], posts: [{ id: 'p1' }] })).toBe(false)
  })

  it('reads whose sync and which job', () => {
    expect(syncedAccountId({ accountId: 'a1', status: 'ok' })).toBe('a1')
    expect(updatedJobId({ id: 'j1' })).toBe('j1')
  })

  it('changes the counts that came and no others', () => {
    const post = { id: 'p1', metrics: { likes: 1, comments: 2, views: null } }
    expect(withMetrics(post, { likes: 5, unheardOf: 9 })).toEqual({
      id: 'p1',
      metrics: { likes: 5, comments: 2, views: null },
    })
    expect(withMetrics(post, undefined)).toBe(post)
  })
})
