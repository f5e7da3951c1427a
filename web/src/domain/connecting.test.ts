import { describe, expect, it } from 'vitest'
import { PLATFORM_FACTS, PLATFORMS } from '../../../src/domain/platforms.ts'
import { CONNECT_WAYS, connectNotes, firstChoice, HANDLE_EXAMPLES } from './connecting.ts'
import { recognisePlatform } from './recognise-platform.ts'

describe('the ways to connect', () => {
  it('offer every platform once', () => {
    const offered = CONNECT_WAYS.flatMap(({ platforms }) => platforms)
    expect(offered.toSorted()).toEqual([...PLATFORMS].sort())
  })

  it('show what a handle looks like exactly where one is asked for', () => {
    const asked = PLATFORMS.filter((platform) => PLATFORM_FACTS[platform].connects !== 'oauth')
    expect(Object.keys(HANDLE_EXAMPLES)).toEqual(asked)
    expect(recognisePlatform(HANDLE_EXAMPLES.bluesky ?? '')?.platform).toBe('bluesky')
    expect(recognisePlatform(HANDLE_EXAMPLES.mastodon ?? '')?.platform).toBe('mastodon')
  })

  it('say what a platform asks of those who connect it', () => {
    expect(connectNotes('bluesky')).toEqual([])
    expect(connectNotes('instagram').join()).toMatch(/sign in there/)
    expect(connectNotes('x')).toContain('Read every hour at most.')
    expect(connectNotes('x').join()).toMatch(/charges for every read/)
    expect(connectNotes('linkedin')).toContain('Read every 2 hours at most.')
    expect(connectNotes('youtube').join()).toMatch(/stand apart/)
  })
})

describe('firstChoice', () => {
  const granted = (externalId: string, connectedAccountId: string | null = null) => ({
    ...{ externalId, connectedAccountId, handle: externalId },
    ...{ displayName: null, avatarUrl: null, followers: null },
  })
  const accounts = new Map([
    ['a1', { status: 'needs_auth' as const }],
    ['a2', { status: 'active' as const }],
  ])

  it('takes the only one there is', () => {
    expect(firstChoice([granted('1')], accounts)).toEqual(['1'])
    expect(firstChoice([granted('1', 'a2')], accounts)).toEqual(['1'])
  })

  it('takes of several those that wait for somebody to sign in', () => {
    expect(firstChoice([granted('1', 'a1'), granted('2', 'a2'), granted('3')], accounts)).toEqual(['1'])
    expect(firstChoice([granted('1'), granted('2')], accounts)).toEqual([])
    expect(firstChoice([], accounts)).toEqual([])
  })
})
