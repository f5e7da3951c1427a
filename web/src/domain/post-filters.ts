import { POST_KINDS, type PostKind } from '../../../src/domain/platforms.ts'
import { splitList } from './overview-filters.ts'
import { isDate } from './period.ts'

const POST_SORTS = [
  '-postedAt',
  '-engagements',
  '-engagementRate',
  '-likes',
  '-comments',
  '-shares',
  '-saves',
  '-views',
  '-relevance',
] as const
export type PostSort = (typeof POST_SORTS)[number]

export const SORT_LABELS: Record<PostSort, string> = {
  '-postedAt': 'Newest',
  '-engagements': 'Engagements',
  '-engagementRate': 'Engagement rate',
  '-likes': 'Likes',
  '-comments': 'Comments',
  '-shares': 'Shares',
  '-saves': 'Saves',
  '-views': 'Views',
  '-relevance': 'Best match',
}

/** Everything the list of posts can be asked, as it stands in the page's address. */
export interface PostFilters {
  sort: PostSort
  accounts: string[]
  brands: string[]
  platforms: string[]
  kinds: PostKind[]
  hashtags: string[]
  q: string
  from: string
  to: string
}

export const NO_POST_FILTERS: PostFilters = {
  sort: '-postedAt',
  accounts: [],
  brands: [],
  platforms: [],
  kinds: [],
  hashtags: [],
  q: '',
  from: '',
  to: '',
}

export function isPostSort(text: string | null): text is PostSort {
  return (POST_SORTS as readonly (string | null)[]).includes(text)
}

export function isPostKind(text: string): text is PostKind {
  return (POST_KINDS as readonly string[]).includes(text)
}

/** What a list can be sorted by: only what is searched for has a relevance. */
export function sortsFor({ q }: Pick<PostFilters, 'q'>): readonly PostSort[] {
  return q.trim() === '' ? POST_SORTS.filter((sort) => sort !== '-relevance') : POST_SORTS
}

/** A hashtag as the API takes it: `#Books ` → `Books`; `null` for what can be none. */
export function normaliseHashtag(input: string): string | null {
  const tag = input.trim().replace(/^[#＃]+/u, '')
  // Digits and punctuation alone are no tag, to the API neither.
  return /[\s,#]/u.test(tag) || !/[\p{L}\p{So}\p{Extended_Pictographic}]/u.test(tag) ? null : tag
}

/** Reads the filters out of an address. What it does not understand is left out. */
export function parsePostFilters(search: URLSearchParams): PostFilters {
  const sort = search.get('sort')
  const q = search.get('q') ?? ''
  const from = search.get('from')
  const to = search.get('to')
  return {
    sort: isPostSort(sort) && sortsFor({ q }).includes(sort) ? sort : NO_POST_FILTERS.sort,
    accounts: splitList(search.get('accounts')),
    brands: splitList(search.get('brands')),
    platforms: splitList(search.get('platforms')),
    kinds: splitList(search.get('kinds')).filter(isPostKind),
    hashtags: splitList(search.get('hashtags')).flatMap((tag) => normaliseHashtag(tag) ?? []),
    q,
    from: isDate(from) ? from : '',
    to: isDate(to) ? to : '',
  }
}

/** The address of these filters, and what `GET /posts` is asked for them; defaults are left out. */
export function postQuery(filters: PostFilters): Record<string, string | string[] | undefined> {
  const isDefault = filters.sort === NO_POST_FILTERS.sort || !sortsFor(filters).includes(filters.sort)
  return {
    ...filters,
    sort: isDefault ? undefined : filters.sort,
    q: filters.q.trim(),
  }
}

/** Whether anything is left out of the list. */
export function isFiltered(filters: PostFilters): boolean {
  const { sort: _, ...rest } = filters
  return Object.values(rest).some((value) => value.length > 0)
}
