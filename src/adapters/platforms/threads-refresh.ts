import {
  type AccountRef,
  type ConnectorContext,
  PlatformError,
  type PlatformPost,
  type PostRef,
} from '../../ports.ts'
import { isPostId, THREADS_BEGAN_MS } from './threads-post.ts'
import { EDGES, type Edge, fewAtOnce, type ThreadsReader } from './threads-reader.ts'

const FIRST_SECOND = Math.floor(THREADS_BEGAN_MS / 1_000)

/** Posts that are still looked for, and the calls that may be spent on lists. */
interface Search {
  wanted: Map<string, PostRef>
  found: PlatformPost[]
  callsLeft: number
}

function secondOf(post: { postedAtMs: number }): number {
  return Math.floor(post.postedAtMs / 1_000)
}

function newestFirst(posts: Iterable<PostRef>): PostRef[] {
  return [...posts].sort((a, b) => b.postedAtMs - a.postedAtMs)
}

/**
 * Reads known posts of one account again. Threads knows no call for many ids, but its lists can be asked for a
 * span of time: they are read from the newest wanted post on, and from there in leaps, so that each page
 * settles at least one. What no list shows is asked for by itself, and gone only when Threads says so. Takes
 * at most twice as many calls as there are posts, and for posts that lie close together only one or two.
 */
export async function refreshThreadsPosts(
  reader: ThreadsReader,
  ctx: ConnectorContext,
  account: AccountRef,
  known: readonly PostRef[],
): Promise<PlatformPost[]> {
  const wanted = new Map(known.filter(({ id }) => isPostId(id)).map((ref) => [ref.id, ref]))
  const search: Search = { wanted, found: [], callsLeft: wanted.size }
  for (const edge of EDGES) await searchList(reader, ctx, account, edge, search)
  const failures: PlatformError[] = []
  const others = await fewAtOnce([...wanted.values()], async (ref) => {
    try {
      return await reader.readPost(ctx, account, ref)
    } catch (error) {
      // What is refused to all is not asked for one by one.
      if (!(error instanceof PlatformError) || error.isRefusal || error.kind === 'auth') throw error
      failures.push(error)
      ctx.leaveOpen(ref.id)
      return null
    }
  })
  if (failures[0] !== undefined && failures.length === known.length) throw failures[0]
  return [...search.found, ...others.filter((post) => post !== null)]
}

/** Takes out of `search.wanted` whatever the list shows. */
async function searchList(
  reader: ThreadsReader,
  ctx: ConnectorContext,
  account: AccountRef,
  edge: Edge,
  search: Search,
): Promise<void> {
  let open = newestFirst(search.wanted.values())
  let after: string | null = null
  // One alone is asked for by itself: that costs no more, and says for certain whether it is there.
  while (open.length > 1 && search.callsLeft > 0) {
    const [newest, oldest] = [open[0], open.at(-1)]
    if (newest === undefined || oldest === undefined) return
    search.callsLeft -= 1
    // A second more on both sides: whether the bounds themselves are meant, Threads does not say.
    const range = {
      since: Math.max(FIRST_SECOND, secondOf(oldest) - 1),
      until: Math.max(FIRST_SECOND, secondOf(newest)) + 1,
      ...(after === null ? {} : { after }),
    }
    const page = await reader.readPage(ctx, account, edge, range, 'posts.refresh')
    const asked = page.posts.filter(({ platformPostId }) => search.wanted.delete(platformPostId))
    search.found.push(...(page.hasMetrics ? asked : await reader.withMetrics(ctx, account, asked)))
    if (page.after === null) return
    // Posts of the page's last second may stand on the next page too.
    const seenTo = Math.min(...page.posts.map(({ postedAt }) => Date.parse(postedAt) / 1_000))
    const left = open.filter((ref) => search.wanted.has(ref.id) && secondOf(ref) <= seenTo)
    after = left.length === open.length ? page.after : null
    open = left
  }
}
