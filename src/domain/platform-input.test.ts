import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { identifyPlatform, parseBlueskyActor, parseMastodonAddress } from './platform-input.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'

describe('parseBlueskyActor', () => {
  it.each([
    ['ada.bsky.social', 'ada.bsky.social'],
    ['@ada.bsky.social', 'ada.bsky.social'],
    ['  @Ada.Example.COM ', 'ada.example.com'],
    ['\u202a@ada.example.com\u202c', 'ada.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['did:plc:ewvi7nxzyoun6zhxrhs64oiz', 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'],
    ['did:web:ada.example.com', 'did:web:ada.example.com'],
    ['at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l', 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'],
    ['at://ada.example.com', 'ada.example.com'],
    ['https://bsky.app/profile/ada.example.com', 'ada.example.com'],
    ['https://bsky.app/profile/ada.example.com/', 'ada.example.com'],
    ['bsky.app/profile/ada.example.com', 'ada.example.com'],
    [
      'https://bsky.app/profile/did:plc:ewvi7nxzyoun6zhxrhs64oiz/post/3lb?ref=x#y',
      'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
    ],
    ['https://bsky.app/profile/did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz', 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'],
  ])('reads %j', (input, expected) => {
    expect(parseBlueskyActor(input)).toBe(expected)
  })

  it.each([
    '',
    '@',
    'ada',
    '@ada',
    'ada..example',
    '-ada.example',
    'ada.123',
    'ada.example:3000',
    'ada@host.example',
    'did:plc:',
    'did:key:abc',
    'did:plc:ABC DEF',
    'https://bsky.app/',
    'https://bsky.app/search',
    'https://example.com/profile/ada.example.com',
    'https://bsky.app.evil.example/profile/ada.example.com',
    'https://bsky.app/profile/%E0%A4%A',
    `${'a.'.repeat(130)}com`,
  ])('reads no account in %j', (input) => {
    expect(parseBlueskyActor(input)).toBeNull()
  })
})

describe('parseMastodonAddress', () => {
  it.each([
    ['ada@social.example', 'ada', 'social.example'],
    ['@ada@social.example', 'ada', 'social.example'],
    ['＠ada＠social.example', 'ada', 'social.example'],
    ['acct:ada@social.example', 'ada', 'social.example'],
    [' @Ada@Social.Example ', 'Ada', 'social.example'],
    ['ada@bücher.example', 'ada', 'xn--bcher-kva.example'],
    ['ada@127.0.0.1:3000', 'ada', '127.0.0.1:3000'],
    ['ada@[::1]:3000', 'ada', '[::1]:3000'],
    ['ada@localhost:3000', 'ada', 'localhost:3000'],
    ['ada@social.example:443', 'ada', 'social.example'],
    ['a.d-a_1@social.example', 'a.d-a_1', 'social.example'],
    ['https://social.example/@ada', 'ada', 'social.example'],
    ['http://127.0.0.1:3000/@ada', 'ada', '127.0.0.1:3000'],
    ['social.example/@ada', 'ada', 'social.example'],
    ['https://social.example/@ada/115000000000000009', 'ada', 'social.example'],
    ['https://social.example/users/ada', 'ada', 'social.example'],
    ['https://social.example/users/ada/statuses/1', 'ada', 'social.example'],
    ['https://social.example/@ada@other.example', 'ada', 'other.example'],
    ['https://social.example/web/@ada', 'ada', 'social.example'],
    ['https://social.example/deck/@ada', 'ada', 'social.example'],
  ])('reads %j', (input, user, host) => {
    expect(parseMastodonAddress(input)).toEqual({ user, host })
  })

  it.each([
    '',
    'ada',
    '@ada',
    'ada@',
    '@@social.example',
    'ada@a@b',
    'ada lovelace@social.example',
    'ada@social.example/path',
    'ada@social example',
    'ada@exa%mple',
    '.ada@social.example',
    'https://social.example/',
    'https://social.example/about',
    'https://social.example/@',
    'https://social.example/@a@b@c',
    'https://user:pass@social.example/@ada',
    'ftp://social.example/@ada',
  ])('reads no address in %j', (input) => {
    expect(parseMastodonAddress(input)).toBeNull()
  })

  it('never gives a host with a path, a query, or credentials', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (user, host) => {
        for (const input of [`${user}@${host}`, `https://${host}/@${user}`, host]) {
          const address = parseMastodonAddress(input)
          if (address !== null)
            expect(new URL(`https://${address.host}/`).href).toBe(`https://${address.host}/`)
        }
      }),
    )
  })
})

describe('control characters', () => {
  // NUL, a break in the middle, escape, delete, and a control character beyond ASCII.
  it.each(['\0', '\n', '\r\n', '\t', '\u001b', '\u007f', '\u0085'])(
    'make no name with %j within',
    (control) => {
      for (const input of [
        `ada@social${control}.example`,
        `a${control}da@social.example`,
        `ada@social.example${control}.com`,
        `https://social.example/@ada${control}/1`,
        `https://social${control}.example/@ada`,
        `https://social.example/@ada@home${encodeURIComponent(control)}.example`,
        `https://social.example/@ada${encodeURIComponent(control)}`,
      ])
        expect(parseMastodonAddress(input), JSON.stringify(input)).toBeNull()
      for (const input of [`ada${control}.example.com`, `https://bsky.app/profile/ada${control}.example.com`])
        expect(parseBlueskyActor(input), JSON.stringify(input)).toBeNull()
      expect(identifyPlatform(`https://x.com/a${control}da`)).toBeNull()
    },
  )

  it('may stand around a name where they are white space, and nowhere else', () => {
    expect(parseMastodonAddress('\n\t ada@social.example \r\n')).toEqual({
      user: 'ada',
      host: 'social.example',
    })
    expect(parseMastodonAddress('\0ada@social.example')).toBeNull()
    expect(parseMastodonAddress('ada@social.example\0')).toBeNull()
  })
})

describe('identifyPlatform', () => {
  it.each([
    ['@ada@social.example', 'mastodon', 'ada@social.example'],
    ['ada@social.example', 'mastodon', 'ada@social.example'],
    ['https://social.example/@ada', 'mastodon', 'ada@social.example'],
    ['https://social.example/users/ada', 'mastodon', 'ada@social.example'],
    ['ada.bsky.social', 'bluesky', 'ada.bsky.social'],
    ['@ada.example.com', 'bluesky', 'ada.example.com'],
    [DID, 'bluesky', DID],
    ['at://ada.example.com/app.bsky.feed.post/3l', 'bluesky', 'ada.example.com'],
    ['https://bsky.app/profile/ada.example.com/post/3l', 'bluesky', 'ada.example.com'],
    ['UCabcdefghijklmnopqrstuv', 'youtube', 'UCabcdefghijklmnopqrstuv'],
    ['https://www.youtube.com/@AdaCharts', 'youtube', '@AdaCharts'],
    ['https://m.youtube.com/@AdaCharts/videos', 'youtube', '@AdaCharts'],
    ['https://youtube.com/channel/UCabcdefghijklmnopqrstuv', 'youtube', 'UCabcdefghijklmnopqrstuv'],
    ['https://youtube.com/user/ada', 'youtube', 'user/ada'],
    ['https://youtube.com/c/ada', 'youtube', 'c/ada'],
    ['https://x.com/ada', 'x', 'ada'],
    ['x.com/ada', 'x', 'ada'],
    ['https://twitter.com/ada/status/1', 'x', 'ada'],
    ['https://www.instagram.com/ada.charts/', 'instagram', 'ada.charts'],
    ['https://www.threads.com/@ada', 'threads', 'ada'],
    ['https://www.threads.net/@ada', 'threads', 'ada'],
    ['https://www.facebook.com/adacharts', 'facebook', 'adacharts'],
    ['https://fb.com/adacharts', 'facebook', 'adacharts'],
    ['https://www.facebook.com/profile.php?id=100012345', 'facebook', '100012345'],
    ['https://www.facebook.com/pages/Ada-Charts/123', 'facebook', '123'],
    ['https://www.tiktok.com/@adacharts/video/1', 'tiktok', 'adacharts'],
    ['https://www.linkedin.com/company/ada-charts/', 'linkedin', 'ada-charts'],
    ['urn:li:organization:123456', 'linkedin', 'urn:li:organization:123456'],
    ['u/ada', 'reddit', 'u/ada'],
    ['/r/dataisbeautiful/', 'reddit', 'r/dataisbeautiful'],
    ['https://old.reddit.com/user/ada', 'reddit', 'u/ada'],
    ['https://www.reddit.com/r/dataisbeautiful/', 'reddit', 'r/dataisbeautiful'],
  ])('reads %j as %s %s', (input, platform, name) => {
    expect(identifyPlatform(input)).toEqual({ platform, name })
  })

  it.each([
    '',
    '@ada',
    'ada',
    'Ada Lovelace',
    'https://example.com/',
    'https://example.com/ada',
    'https://bsky.app/search',
    'https://x.com/home',
    'https://x.com/',
    'https://www.instagram.com/p/abc/',
    'https://youtube.com/watch?v=abc',
    'https://www.tiktok.com/foryou',
    'https://www.linkedin.com/in/ada',
    'https://www.reddit.com/',
    'did:key:abc',
    'UCtooshort',
    'https://[bad',
  ])('makes nothing of %j', (input) => {
    expect(identifyPlatform(input)).toBeNull()
  })

  it('answers to any text without throwing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', '@', 'https://', 'at://', 'https://bsky.app/profile/'),
        (text, prefix) => {
          const found = identifyPlatform(prefix + text)
          if (found !== null) expect(found.name).not.toBe('')
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
