import type { Db } from '../../src/db/client.ts'
import { listPosts, type PostListQuery } from '../../src/db/queries/posts.ts'

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

/** The ids of the first pages, read one after the other as a client does. */
export async function readPostPages(
  db: Db,
  workspaceId: string,
  first: PostListQuery,
  pages: number,
): Promise<string[]> {
  const ids: string[] = []
  let { after } = first
  for (let page = 0; page < pages; page += 1) {
    const [rows] = await db.inWorkspace(workspaceId, [listPosts(workspaceId, { ...first, after })])
    ids.push(...rows.slice(0, first.limit).map(({ id }) => id))
    const last = rows[first.limit - 1]
    if (rows.length <= first.limit || last === undefined) break
    after = { value: last.sortValue, id: last.id }
  }
  return ids
}
