import { describe, expect, it } from 'vitest'
import { unknownMeasureWords, unknownPostWords, unknownTotalWords, unknownWords } from './unknown-metric.ts'

describe('unknownWords', () => {
  it('names the one platform that does not give a metric', () => {
    expect(unknownWords('views', ['bluesky'])).toBe('Not available on Bluesky')
  })

  it('says so of several at once', () => {
    expect(unknownWords('impressions', ['bluesky', 'mastodon'])).toBe('Not available on these platforms')
  })

  it('blames the period where a platform does give it', () => {
    expect(unknownWords('saves', ['bluesky', 'mastodon'])).toBe('Not known for this period')
    expect(unknownWords('followersGained', ['mastodon'])).toBe('Not known for this period')
    expect(unknownWords('views', [])).toBe('Not known for this period')
  })

  it('names what the rate by followers lacks', () => {
    expect(unknownWords('engagementRateByFollowers', ['bluesky'])).toBe('Followers at posting time not known')
  })

  it('explains that what was gained has no rate', () => {
    expect(unknownWords('engagementRateByFollowers', ['bluesky'], 'gained')).toMatch(/published/)
    expect(unknownWords('likes', ['bluesky'], 'gained')).toBe('Not known for this period')
  })

  it('knows what a rate is divided by', () => {
    expect(unknownWords('engagementRateByViews', ['mastodon'])).toBe('Not available on Mastodon')
    expect(unknownWords('engagementRateByViews', ['threads'])).toBe('Not known for this period')
  })

  it('does not speak of a period where it is about one post', () => {
    expect(unknownPostWords('quotes', 'instagram')).toBe('Not available on Instagram')
    expect(unknownPostWords('saves', 'instagram')).toBe('Not known')
    expect(unknownPostWords('engagements', 'mastodon')).toBe('Not known')
  })

  it('tells a count of accounts that a platform never gives from one it gave not', () => {
    expect(unknownMeasureWords('posts', 'linkedin')).toBe('Not available on LinkedIn')
    expect(unknownMeasureWords('followers', 'linkedin')).toBe('Not known')
  })

  it('does not count platforms that the totals leave out', () => {
    const platforms = [{ platform: 'mastodon' as const }, { platform: 'youtube' as const }]
    const excluded = [{ platform: 'youtube' as const }]
    expect(unknownTotalWords('views', { platforms, excluded, basis: 'published' })).toBe(
      'Not available on Mastodon',
    )
    expect(unknownTotalWords('views', { platforms, excluded: [], basis: 'published' })).toBe(
      'Not known for this period',
    )
  })
})
