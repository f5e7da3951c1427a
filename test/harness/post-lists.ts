import type { PostListQuery } from '../../src/db/queries/posts.ts'

/** The first page of all posts, the newest first. */
export const newestPosts = (limit: number): PostListQuery => ({
  filter: { accounts: [], platforms: [], brands: [] },
  sort: 'postedAt',
  kinds: [],
  hashtags: [],
  search: null,
  from: null,
  until: null,
  after: null,
  limit,
})
