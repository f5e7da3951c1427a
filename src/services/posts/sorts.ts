/** How lists of posts may be asked for. */
export { POST_SORTS, type PostListQuery, type PostSort } from '../../db/queries/posts.ts'
