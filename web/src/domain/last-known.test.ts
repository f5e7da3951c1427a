import { describe, expect, it } from 'vitest'
import { lastKnownWords } from './last-known.ts'

const MAY = '2026-05-03T22:30:00.000Z'
const JUNE = '2026-06-01T09:00:00.000Z'
const post = { platform: 'instagram' as const, lastKnown: { likes: JUNE, saves: MAY, views: MAY } }

describe('lastKnownWords', () => {
  it('says nothing of what the last reading had', () => {
    expect(lastKnownWords(post, 'comments', 'UTC', false)).toBeNull()
    expect(lastKnownWords({ ...post, lastKnown: null }, 'engagements', 'UTC', false)).toBeNull()
    expect(lastKnownWords({ ...post, lastKnown: { views: MAY } }, 'engagements', 'UTC', false)).toBeNull()
  })

  it('names the day in the workspace’s time, and who does not give it', () => {
    expect(lastKnownWords(post, 'saves', 'UTC', false)).toMatch(
      /^Last known on .*\b3\b.*; Instagram does not give it at the moment$/,
    )
    expect(lastKnownWords(post, 'saves', 'Europe/Berlin', false)).toMatch(/^Last known on .*\b4\b.*;/)
    expect(
      lastKnownWords({ platform: 'youtube', lastKnown: { followers: JUNE } }, 'followers', 'UTC', true),
    ).toMatch(/; newer files do not say$/)
  })

  it('dates a sum by the oldest of its parts', () => {
    expect(lastKnownWords(post, 'engagements', 'UTC', false)).toMatch(/^In part last known on .*\b3\b/)
  })
})
