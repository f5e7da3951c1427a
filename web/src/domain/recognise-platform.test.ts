import { describe, expect, it } from 'vitest'
import { misplacedOn, recognisePlatform } from './recognise-platform.ts'

describe('recognisePlatform', () => {
  it.each([
    ['name.bsky.social', 'bluesky', false],
    ['@name.example', 'bluesky', false],
    ['did:plc:abcdefghijklmnop', 'bluesky', true],
    ['https://bsky.app/profile/name.example', 'bluesky', true],
    ['name@social.example', 'mastodon', true],
    ['https://social.example/@name', 'mastodon', true],
    ['https://www.youtube.com/@saltmarsh', 'youtube', true],
    ['https://x.com/saltmarsh', 'x', true],
    ['instagram.com/saltmarsh', 'instagram', true],
    ['https://www.threads.com/@saltmarsh', 'threads', true],
    ['https://www.facebook.com/saltmarsh', 'facebook', true],
    ['https://www.tiktok.com/@saltmarsh', 'tiktok', true],
    ['https://www.linkedin.com/company/saltmarsh', 'linkedin', true],
    ['r/saltmarsh', 'reddit', true],
  ])('takes %s for %s', (input, platform, isCertain) => {
    expect(recognisePlatform(input)).toEqual({ platform, isCertain })
  })

  it.each(['', 'saltmarsh', '@saltmarsh', 'two words.com', 'https://example.org/about'])(
    'cannot tell from "%s"',
    (input) => {
      expect(recognisePlatform(input)).toBeNull()
    },
  )
})

describe('misplacedOn', () => {
  it('names the platform of an address that is not of the one chosen', () => {
    expect(misplacedOn('https://x.com/saltmarsh', 'youtube')).toBe('x')
    expect(misplacedOn('name@social.example', 'bluesky')).toBe('mastodon')
  })

  it('says nothing where it is the one chosen, or may be', () => {
    expect(misplacedOn('https://x.com/saltmarsh', 'x')).toBeNull()
    expect(misplacedOn('salt.marsh', 'reddit')).toBeNull()
    expect(misplacedOn('saltmarsh', 'youtube')).toBeNull()
  })
})
