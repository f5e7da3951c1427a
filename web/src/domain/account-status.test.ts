import { describe, expect, it } from 'vitest'
import type { Account } from '../../../src/http/wire.ts'
import { describeStatus, matchesFilter, matchesText } from './account-status.ts'

function account(changes: Partial<Account> = {}, freshness: Partial<Account['freshness']> = {}): Account {
  return {
    id: 'a1',
    platform: 'bluesky',
    handle: 'harbour.example',
    displayName: 'Harbour Books',
    url: null,
    avatarUrl: null,
    brandId: null,
    status: 'active',
    statusReason: null,
    metrics: { followers: 10, following: 1, posts: 2 },
    metricsAt: null,
    credentials: null,
    createdAt: '2026-01-01T00:00:00Z',
    deletedAt: null,
    ...changes,
    freshness: {
      lastSyncedAt: '2026-11-22T10:00:00Z',
      nextSyncAt: null,
      stale: false,
      reason: null,
      backfilling: false,
      ...freshness,
    },
  }
}

describe('describeStatus', () => {
  it('says nothing more of an account that is read on time', () => {
    expect(describeStatus(account())).toEqual({ label: 'Up to date', tone: 'good', explanation: null })
  })

  it('explains why an active account is stale', () => {
    const words = describeStatus(account({}, { stale: true, reason: 'rate_limited' }))
    expect(words.tone).toBe('warning')
    expect(words.explanation).toMatch(/slow down/)
  })

  it("prefers the server's own sentence", () => {
    const words = describeStatus(
      account({ status: 'error', statusReason: 'The server speaks another language.' }),
    )
    expect(words.label).toBe('Error')
    expect(words.explanation).toBe('The server speaks another language.')
  })

  it('tells a first sync and a running history from a finished one', () => {
    expect(describeStatus(account({}, { lastSyncedAt: null })).label).toBe('First sync')
    expect(describeStatus(account({}, { backfilling: true })).label).toBe('Reading history')
  })
})

describe('filters of the accounts page', () => {
  it('shows what needs attention, and never what is removed', () => {
    expect(matchesFilter(account({ status: 'needs_auth' }), 'attention')).toBe(true)
    expect(matchesFilter(account({}, { stale: true, reason: 'overdue' }), 'attention')).toBe(true)
    expect(matchesFilter(account({ status: 'paused' }), 'attention')).toBe(false)
    expect(matchesFilter(account({ status: 'deleted' }), 'all')).toBe(false)
  })

  it('finds an account by name or handle', () => {
    expect(matchesText(account(), '@harbour.ex')).toBe(true)
    expect(matchesText(account(), 'BOOKS')).toBe(true)
    expect(matchesText(account({ displayName: null }), 'books')).toBe(false)
  })
})
