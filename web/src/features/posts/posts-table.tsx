import type { Post } from '../../../../src/http/wire.ts'
import { lastKnownWords } from '../../domain/last-known.ts'
import type { PostSort } from '../../domain/post-filters.ts'
import { unknownPostWords } from '../../domain/unknown-metric.ts'
import { formatInstant } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { Link } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { accountName } from '../../ui/avatar.tsx'
import { LastKnownMark, LiveFigure, Unknown } from '../../ui/figures.tsx'
import { ChevronIcon, ExternalIcon } from '../../ui/icons.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { kindLabel, mediaLabel } from '../../ui/post-kind.ts'

type Metric = 'engagements' | 'likes' | 'comments' | 'shares' | 'saves' | 'views'

const COLUMNS: readonly { metric: Metric; label: string; sort: PostSort }[] = [
  { metric: 'engagements', label: 'Engagements', sort: '-engagements' },
  { metric: 'likes', label: 'Likes', sort: '-likes' },
  { metric: 'comments', label: 'Comments', sort: '-comments' },
  { metric: 'shares', label: 'Shares', sort: '-shares' },
  { metric: 'saves', label: 'Saves', sort: '-saves' },
  { metric: 'views', label: 'Views', sort: '-views' },
]

function SortHeader({
  label,
  sort,
  current,
  onSort,
  number = false,
}: {
  label: string
  sort: PostSort
  current: PostSort
  onSort: (sort: PostSort) => void
  number?: boolean
}) {
  const active = sort === current
  return (
    <th scope="col" class={number ? 'number' : ''} aria-sort={active ? 'descending' : undefined}>
      <button type="button" class={`sort-button ${active ? 'is-sorted' : ''}`} onClick={() => onSort(sort)}>
        {label}
        <ChevronIcon size={14} />
      </button>
    </th>
  )
}

/** Who posted it when, and what it carries besides its text. */
export function PostMeta({ post }: { post: Post }) {
  const account = useAccounts().byId.get(post.accountId)
  const timezone = useTimezone()
  const kind = kindLabel(post.kind)
  const media = mediaLabel(post.media)
  return (
    <p class="post-meta">
      <PlatformBadge platform={post.platform} named />
      {account && (
        <Link href={`/posts?accounts=${encodeURIComponent(account.id)}`} class="quiet-link">
          {accountName(account)}
        </Link>
      )}
      <time dateTime={post.postedAt}>{formatInstant(post.postedAt, timezone)}</time>
      {kind !== null && <span class="tag">{kind}</span>}
      {media !== null && <span class="tag">{media}</span>}
      {post.deletedAt !== null && (
        <span class="tag tag-bad" title={`Found missing ${formatInstant(post.deletedAt, timezone)}`}>
          Deleted on {platformLabel(post.platform)}
        </span>
      )}
      {post.url && (
        <a class="out-link" href={post.url} target="_blank" rel="noopener noreferrer">
          <ExternalIcon size={14} />
          <span class="visually-hidden">Open on {platformLabel(post.platform)} (in a new tab)</span>
        </a>
      )}
    </p>
  )
}

function Row({ post }: { post: Post }) {
  const timezone = useTimezone()
  const isImported = useAccounts().byId.get(post.accountId)?.status === 'imported'
  return (
    <tr>
      <th scope="row" class="post-cell">
        <Link class="post-text" href={`/posts/${encodeURIComponent(post.id)}`}>
          {post.text?.trim() || 'Post without text'}
        </Link>
        <PostMeta post={post} />
      </th>
      {COLUMNS.map(({ metric, label }) => {
        const value = post.metrics[metric]
        const words = lastKnownWords(post, metric, timezone, isImported)
        return (
          <td key={metric} class="number" data-label={label}>
            {value === null ? (
              <Unknown words={unknownPostWords(metric, post.platform)} />
            ) : (
              <>
                <LiveFigure value={value} of={post.id}>
                  {formatCount(value)}
                </LiveFigure>
                {words !== null && <LastKnownMark words={words} />}
              </>
            )}
          </td>
        )
      })}
    </tr>
  )
}

/** Posts with their figures; every heading sorts by its column. Stacked on a phone. */
export function PostsTable({
  posts,
  sort,
  onSort,
}: {
  posts: readonly Post[]
  sort: PostSort
  onSort: (sort: PostSort) => void
}) {
  return (
    <table class="table table-stacked posts-table">
      <thead>
        <tr>
          <SortHeader label="Post" sort="-postedAt" current={sort} onSort={onSort} />
          {COLUMNS.map((column) => (
            <SortHeader
              key={column.metric}
              label={column.label}
              sort={column.sort}
              current={sort}
              onSort={onSort}
              number
            />
          ))}
        </tr>
      </thead>
      <tbody>
        {posts.map((post) => (
          <Row key={post.id} post={post} />
        ))}
      </tbody>
    </table>
  )
}
