import type { Client } from 'pg'
import type { PostListQuery, PostSort } from '../../../src/db/queries/posts.ts'

/** What a list of posts is sorted by, apart from relevance. */
type ColumnSort = Exclude<PostSort, 'relevance'>

const SORTED_BY: Record<ColumnSort, string> = {
  postedAt: 'posted_at',
  engagements: 'COALESCE(engagements, -1)',
  engagementRate: 'COALESCE(engagements::float8 / NULLIF(followers_at_posting, 0), -1)',
  likes: 'COALESCE(likes, -1)',
  comments: 'COALESCE(comments, -1)',
  shares: 'COALESCE(shares, -1)',
  saves: 'COALESCE(saves, -1)',
  views: 'COALESCE(views, -1)',
}
/** In one order a page begins where nothing is known any more. */
const DEEPEST: ColumnSort = 'views'

export type Positions = Record<ColumnSort, NonNullable<PostListQuery['after']>>

/** What the catalogue asks for: things that are there, some frequent and some rare. */
export interface WorkspaceFacts {
  workspaceId: string
  timezone: string
  accountIds: string[]
  /** A post in the middle of the workspace's time. */
  postId: string
  /** The time that the posts are of, RFC 3339. */
  oldest: string
  newest: string
  frequentTag: string
  rareTag: string
  frequentWord: string
  rareWord: string
  /** Deep in each order: posts of the middle of the time, as a page begins behind a post that is in its list. */
  positions: Positions
}

/** Learns what there is, as the owner. Throws where the workspace has no posts with tags. */
export async function readWorkspaceFacts(owner: Client, workspaceId: string): Promise<WorkspaceFacts> {
  const one = async <R extends object>(text: string): Promise<R> => {
    const { rows } = await owner.query<R>(text, [workspaceId])
    const [row] = rows
    if (row === undefined) throw new Error(`the workspace has nothing to plan with: ${text}`)
    return row
  }
  const { timezone } = await one<{ timezone: string }>('SELECT timezone FROM workspaces WHERE id = $1')
  const { rows: accounts } = await owner.query<{ id: string }>(
    'SELECT id FROM accounts WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY id',
    [workspaceId],
  )
  const iso = (moment: string) => `to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  const span = await one<{ oldest: string; newest: string }>(
    `SELECT ${iso('min(posted_at)')} AS oldest, ${iso('max(posted_at)')} AS newest FROM posts WHERE workspace_id = $1`,
  )
  const { id: postId } = await one<{ id: string }>(
    `SELECT id FROM posts WHERE workspace_id = $1 AND posted_at >= (
       SELECT min(posted_at) + (max(posted_at) - min(posted_at)) / 2 FROM posts WHERE workspace_id = $1)
     ORDER BY posted_at LIMIT 1`,
  )
  const positionIn = async (sort: ColumnSort) =>
    one<{ value: string; id: string }>(
      `WITH around AS (
         SELECT ${SORTED_BY[sort]} AS value, id FROM posts p
         WHERE workspace_id = $1 AND kind = 'post' AND abs(extract(epoch FROM posted_at - (
           SELECT min(posted_at) + (max(posted_at) - min(posted_at)) / 2 FROM posts WHERE workspace_id = $1))) < 10 * 3600
       )
       SELECT value::text AS value, id FROM around ${sort === DEEPEST ? 'WHERE value < 0' : ''}
       ORDER BY around.value DESC, id DESC OFFSET (SELECT count(*) ${sort === DEEPEST ? '* 0' : '/ 2'} FROM around) LIMIT 1`,
    )
  const positions: Positions = {
    postedAt: await positionIn('postedAt'),
    engagements: await positionIn('engagements'),
    engagementRate: await positionIn('engagementRate'),
    likes: await positionIn('likes'),
    comments: await positionIn('comments'),
    shares: await positionIn('shares'),
    saves: await positionIn('saves'),
    views: await positionIn('views'),
  }
  const tags = await one<{ frequent: string; rare: string }>(
    `SELECT (array_agg(tag ORDER BY n DESC))[1] AS frequent, (array_agg(tag ORDER BY n))[1] AS rare
     FROM (SELECT tag, count(*) AS n FROM post_hashtags WHERE workspace_id = $1 GROUP BY 1) t`,
  )
  const words = await one<{ frequent: string; rare: string }>(
    `SELECT (array_agg(word ORDER BY n DESC))[1] AS frequent, (array_agg(word ORDER BY n))[1] AS rare
     FROM (
       SELECT word, count(*) AS n FROM (
         SELECT terms FROM post_search WHERE workspace_id = $1 ORDER BY posted_at DESC LIMIT 5000) s,
       unnest(tsvector_to_array(terms)) AS word WHERE word ~ '^[a-z]{3,}$' GROUP BY 1) w`,
  )
  return {
    workspaceId,
    timezone,
    accountIds: accounts.map(({ id }) => id),
    postId,
    ...span,
    frequentTag: tags.frequent,
    rareTag: tags.rare,
    frequentWord: words.frequent,
    rareWord: words.rare,
    positions,
  }
}
