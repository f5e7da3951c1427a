import { useEffect, useRef, useState } from 'preact/hooks'
import type { Page, Post } from '../../../../src/http/wire.ts'
import { getPosts } from '../../api/endpoints.ts'
import { type ApiError, asApiError, isAbort } from '../../api/http.ts'
import { buildQuery } from '../../api/query.ts'
import { changedPosts, withMetrics } from '../../domain/live-events.ts'
import { type PostFilters, postQuery } from '../../domain/post-filters.ts'
import { useLiveEvents, useLiveReload } from '../../state/live.tsx'
import { useResource } from '../../state/resource.ts'

const PAGE_SIZE = 50

interface PostList {
  /** `undefined` until the first page is there. */
  posts: Post[] | undefined
  outdated: boolean
  error: ApiError | undefined
  reload: () => Promise<void>
  hasMore: boolean
  loadingMore: boolean
  moreError: ApiError | null
  loadMore: () => Promise<void>
}

interface Rest {
  /** The question that these further pages belong to. */
  key: string
  posts: Post[]
  nextCursor: string | null
}

/**
 * The posts for these filters, page after page. Their numbers move with live events; the list itself is
 * read anew only while nobody has gone beyond its first page, so that nothing is pulled away while reading.
 */
export function usePostList(filters: PostFilters): PostList {
  const query = { ...postQuery(filters), limit: PAGE_SIZE }
  const key = `posts${buildQuery(query)}`
  const first = useResource<Page<Post>>(key, (signal) => getPosts(query, signal))
  const [rest, setRest] = useState<Rest | null>(null)
  const [patches, setPatches] = useState<ReadonlyMap<string, Record<string, number | null>>>(new Map())
  const [loadingMore, setLoadingMore] = useState(false)
  const [moreError, setMoreError] = useState<ApiError | null>(null)
  const controller = useRef<AbortController | null>(null)

  const further = rest?.key === key ? rest : null
  // Another question drops what is on its way for this one
  useEffect(() => {
    setMoreError(null)
    setLoadingMore(false)
    return () => controller.current?.abort()
  }, [key])

  useLiveEvents(['metrics.updated'], (event) => {
    const changed = changedPosts(event.data)
    if (changed.size > 0) setPatches((known) => new Map([...known, ...changed]))
  })
  useLiveReload(
    ['metrics.updated'],
    async () => {
      if (further !== null) return
      await first.reload()
      setPatches(new Map())
    },
    { minIntervalMs: 3_000 },
  )

  const nextCursor = further === null ? (first.data?.nextCursor ?? null) : further.nextCursor
  const loadMore = async () => {
    if (nextCursor === null || loadingMore || first.outdated) return
    controller.current = new AbortController()
    const { signal } = controller.current
    setLoadingMore(true)
    setMoreError(null)
    try {
      const page = await getPosts({ ...query, cursor: nextCursor }, signal)
      setRest({ key, posts: [...(further?.posts ?? []), ...page.items], nextCursor: page.nextCursor })
    } catch (error) {
      if (!isAbort(error)) setMoreError(asApiError(error))
    } finally {
      if (!signal.aborted) setLoadingMore(false)
    }
  }

  const posts = first.data && [...first.data.items, ...(further?.posts ?? [])]
  return {
    posts: posts?.map((post) => withMetrics(post, patches.get(post.id))),
    outdated: first.outdated,
    error: first.error,
    reload: first.reload,
    hasMore: nextCursor !== null,
    loadingMore,
    moreError,
    loadMore,
  }
}
