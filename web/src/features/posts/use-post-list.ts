import { useState } from 'preact/hooks'
import type { Post } from '../../../../src/http/wire.ts'
import { getPosts } from '../../api/endpoints.ts'
import { buildQuery } from '../../api/query.ts'
import { changedPosts, withMetrics } from '../../domain/live-events.ts'
import { type PostFilters, postQuery } from '../../domain/post-filters.ts'
import { useLive, useLiveEvents, useLiveReload } from '../../state/live.tsx'
import { type Paged, usePaged } from '../../state/paged.ts'

const PAGE_SIZE = 50

/**
 * The posts for these filters, page after page. Their numbers move with live events; the list itself is
 * read anew only while nobody has gone beyond its first page, so that nothing is pulled away while reading.
 */
export function usePostList(filters: PostFilters): Paged<Post> {
  const query = { ...postQuery(filters), limit: PAGE_SIZE }
  const live = useLive()
  // What live events have patched must not be replaced by an older reading.
  const list = usePaged(`posts${buildQuery(query)}`, (cursor, signal) =>
    getPosts({ ...query, ...(cursor === null ? { minGeneration: live.generation } : { cursor }) }, signal),
  )
  const [patches, setPatches] = useState<ReadonlyMap<string, Record<string, number | null>>>(new Map())

  useLiveEvents(['metrics.updated'], (event) => {
    const changed = changedPosts(event.data)
    if (changed.size > 0) setPatches((known) => new Map([...known, ...changed]))
  })
  useLiveReload(
    ['metrics.updated'],
    async () => {
      if (await list.refresh()) setPatches(new Map())
    },
    { minIntervalMs: 3_000 },
  )

  return { ...list, items: list.items?.map((post) => withMetrics(post, patches.get(post.id))) }
}
