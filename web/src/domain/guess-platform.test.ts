import { describe, expect, it } from 'vitest'
import { guessPlatform } from './guess-platform.ts'

describe('guessPlatform', () => {
  it.each([
    'alice.bsky.social',
    '@alice.bsky.social',
    'example.org',
    'did:plc:abcdefghijklmnop',
    'at://did:plc:abcdefghijklmnop',
    'https://bsky.app/profile/alice.bsky.social',
    'bsky.app/profile/example.org/post/3k',
    ' example.org ',
  ])('takes %s for Bluesky', (input) => {
    expect(guessPlatform(input)).toBe('bluesky')
  })

  it.each([
    'alice@social.example',
    '@alice@social.example',
    'https://social.example/@alice',
    'social.example/@alice',
    'https://social.example/@alice@other.example',
    'https://social.example/users/alice',
    'alice@127.0.0.1:3000',
  ])('takes %s for Mastodon', (input) => {
    expect(guessPlatform(input)).toBe('mastodon')
  })

  it.each(['', 'alice', '@alice', 'alice@', 'alice@localhost', 'https://example.org/about', 'two words.com'])(
    'does not guess from "%s"',
    (input) => {
      expect(guessPlatform(input)).toBeNull()
    },
  )
})
