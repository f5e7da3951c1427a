import { describe, expect, it } from 'vitest'
import type { Account } from '../../../src/http/wire.ts'
import { behindWords, describeStatus, matchesFilter, matchesText, nextDue } from './account-status.ts'

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
    lastKnown: null,
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
    expect(describeStatus(account())).toEqual({
      label: 'Up to date',
      tone: 'good',
      explanation: null,
      hint: null,
    })
  })

  it.each([
    ['rate_limited', 'Waiting', /^Bluesky allows no more calls/, /by itself/],
    ['needs_auth', 'Needs access', /^Bluesky no longer lets us/, /operator/],
    ['platform_down', 'Platform down', /^Bluesky does not answer/, /keep trying/],
    ['budget_spent', 'Waiting', /spent on reading Bluesky/, /Usage/],
    ['paused', 'Stopped', /operator .* stopped reading Bluesky/, /Nothing to do here/],
    ['gone', 'Gone', /no longer exists/, /remove it/],
    ['error', 'Error', /keeps failing/, /^Try again/],
    ['overdue', 'Overdue', /should have been read/, /next in line/],
  ] as const)('says why an active account is stale, and what to do: %s', (reason, label, why, hint) => {
    const words = describeStatus(account({}, { stale: true, reason }))
    expect(words.label).toBe(label)
    expect(['warning', 'bad']).toContain(words.tone)
    expect(words.explanation).toMatch(why)
    expect(words.hint).toMatch(hint)
  })

  it('tells an account that somebody paused from a platform that an operator stopped', () => {
    const paused = describeStatus(account({ status: 'paused' }, { stale: true, reason: 'paused' }))
    expect(paused).toMatchObject({ label: 'Paused', tone: 'quiet', hint: 'Resume it to have it read again.' })
  })

  it.each([
    ['instagram', /Sign in at Instagram again/],
    ['mastodon', /access token/],
    ['youtube', /operator .* app at YouTube/],
  ] as const)('says how an account of %s is given access again', (platform, hint) => {
    expect(describeStatus(account({ platform, status: 'needs_auth' })).hint).toMatch(hint)
    const told = describeStatus(account({ platform, status: 'needs_auth', statusReason: 'Sign in again.' }))
    expect(told).toMatchObject({ explanation: 'Sign in again.', hint: null })
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

describe('nextDue', () => {
  it('is known of accounts that are read alone', () => {
    const due = { nextSyncAt: '2026-11-22T10:15:00Z' }
    expect(nextDue(account({}, due))).toBe('2026-11-22T10:15:00Z')
    expect(nextDue(account({ status: 'paused' }, due))).toBeNull()
  })

  it('is not said of the first reading while nothing keeps an account from it', () => {
    const unread = { lastSyncedAt: null, nextSyncAt: '2026-11-22T10:15:00Z' }
    expect(nextDue(account({}, unread))).toBeNull()
    expect(nextDue(account({}, { ...unread, reason: 'platform_down' }))).toBe('2026-11-22T10:15:00Z')
  })
})

describe('behindWords', () => {
  const stale = (reason: Account['freshness']['reason'], changes: Partial<Account> = {}) =>
    account(changes, { stale: true, reason })

  it('counts those that are behind by their reason, the most frequent first', () => {
    const accounts = [stale('error', { status: 'error' }), stale('rate_limited'), stale('rate_limited')]
    expect(behindWords([...accounts, account()])).toBe(
      '3 of 4 accounts are behind: 2 held back by the platform, 1 failing.',
    )
    expect(behindWords([stale('overdue'), account()])).toBe('1 of 2 accounts is behind: 1 overdue.')
  })

  it('leaves out what nobody expects to be read', () => {
    const accounts = [stale('paused', { status: 'paused' }), account({ status: 'imported' })]
    expect(behindWords(accounts)).toBeNull()
    expect(behindWords([])).toBeNull()
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
