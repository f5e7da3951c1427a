/** What lists of posts may be sorted by. */
export { POST_SORTS, type PostSort } from '../../db/queries/posts.ts'
