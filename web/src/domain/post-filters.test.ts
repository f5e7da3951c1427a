import { describe, expect, it } from 'vitest'
import { buildQuery } from '../api/query.ts'
import { isFiltered, NO_POST_FILTERS, normaliseHashtag, parsePostFilters, postQuery } from './post-filters.ts'

const parse = (search: string) => parsePostFilters(new URLSearchParams(search))

describe('post filters', () => {
  it('survives a round trip through the address', () => {
    const search =
      '?sort=-likes&accounts=a,b&platforms=mastodon&kinds=post,quote&hashtags=Büccher&q=sea+wind&from=2026-01-01'
    expect(parse(buildQuery(postQuery(parse(search))))).toEqual(parse(search))
    expect(buildQuery(postQuery(NO_POST_FILTERS))).toBe('')
  })

  it('leaves out what it does not understand', () => {
    expect(parse('?sort=likes&kinds=story&from=tomorrow&to=2026-13-01')).toEqual(NO_POST_FILTERS)
  })

  it('takes a hashtag with or without its sign', () => {
    expect(normaliseHashtag(' #Books ')).toBe('Books')
    expect(normaliseHashtag('本')).toBe('本')
    expect(normaliseHashtag('#')).toBeNull()
    expect(normaliseHashtag('two words')).toBeNull()
    expect(normaliseHashtag('#2026')).toBeNull()
  })

  it('sorts by relevance only what is searched for', () => {
    expect(parse('?sort=-relevance&q=sea').sort).toBe('-relevance')
    expect(parse('?sort=-relevance&q=+').sort).toBe('-postedAt')
    expect(postQuery({ ...NO_POST_FILTERS, sort: '-relevance' }).sort).toBeUndefined()
  })

  it('knows a filtered list from one that is only sorted', () => {
    expect(isFiltered(parse('?sort=-likes'))).toBe(false)
    expect(isFiltered(parse('?hashtags=books'))).toBe(true)
  })
})
