import { describe, expect, it } from 'vitest'
import { readAccountName, refuseInput } from './input.ts'

describe('the name of an account', () => {
  it.each([
    ['https://www.youtube.com/@AdaCharts/videos', '@AdaCharts'],
    [' \u200e@ada.charts\u200f ', 'ada.charts'],
    ['ada', 'ada'],
    ['ada@social.example', null],
    ['https://bsky.app/profile/ada.example', null],
    ['did:plc:abc123exampleexample1', null],
    ['', null],
  ])('is read from %j', (input, name) => {
    expect(readAccountName(input, 'youtube', /^[\w.]{1,30}$/u)).toBe(name)
  })
})

describe('an input that is refused', () => {
  it.each([
    ['https://www.youtube.com/@ada', 'This looks like a YouTube address: choose YouTube.'],
    ['https://x.com/ada', 'This looks like an X address: choose X.'],
    ['https://instagram.com/ada', 'This looks like an Instagram address: choose Instagram.'],
    ['ada@social.example', 'This looks like a Mastodon address: choose Mastodon.'],
    ['https://youtu.be/dQw4w9WgXcQ', 'This looks like a YouTube address: choose YouTube.'],
    ['lnkd.in/abc', 'This looks like a LinkedIn address: choose LinkedIn.'],
    ['https://fb.me/ada', 'This looks like a Facebook address: choose Facebook.'],
    ['https://vm.tiktok.com/ZM1/', 'This looks like a TikTok address: choose TikTok.'],
    ['https://x.com/home', 'This looks like an X address: choose X.'],
    ['https://redd.it/abc', 'A hint.'],
    ['https://www.reddit.com/r/', 'A hint.'],
    ['u/ada', 'A hint.'],
    ['what?', 'A hint.'],
  ])('says what it is: %s', (input, message) => {
    const error = refuseInput(input, 'reddit', 'A hint.')
    expect([error.kind, error.message]).toEqual(['bad_request', message])
  })
})
