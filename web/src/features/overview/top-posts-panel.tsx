import type { Overview, TopPost } from '../../../../src/http/wire.ts'
import { unknownPostWords } from '../../domain/unknown-metric.ts'
import { formatInstant } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { Link } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { accountName } from '../../ui/avatar.tsx'
import { LiveFigure, Unknown } from '../../ui/figures.tsx'
import { ExternalIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { kindLabel } from '../../ui/post-kind.ts'
import { EmptyState, SkeletonRows } from '../../ui/states.tsx'

const SMALL_METRICS = [
  ['likes', 'likes'],
  ['comments', 'comments'],
  ['shares', 'shares'],
] as const

function TopPostRow({ post }: { post: TopPost }) {
  const { byId } = useAccounts()
  const timezone = useTimezone()
  const account = byId.get(post.accountId)
  const engagements = post.metrics.engagements ?? null
  const kind = kindLabel(post.kind)
  return (
    <li class="top-post">
      <PlatformBadge platform={post.platform} named />
      <div class="top-post-body">
        <Link class="top-post-text" href={`/posts/${encodeURIComponent(post.id)}`}>
          {post.text?.trim() || 'Post without text'}
        </Link>
        <p class="top-post-meta">
          {account && <span>{accountName(account)}</span>}
          <span>{formatInstant(post.postedAt, timezone)}</span>
          {kind !== null && <span class="tag">{kind}</span>}
          {post.url && (
            <a href={post.url} target="_blank" rel="noopener noreferrer" class="out-link">
              <ExternalIcon size={14} />
              <span class="visually-hidden">Open on {platformLabel(post.platform)} (in a new tab)</span>
            </a>
          )}
        </p>
      </div>
      <div class="top-post-figures">
        <strong>
          {engagements === null ? (
            <Unknown words={unknownPostWords('engagements', post.platform)} />
          ) : (
            <LiveFigure value={engagements} of={post.id}>
              {formatCount(engagements)}
            </LiveFigure>
          )}
        </strong>
        <span class="quiet small">engagements</span>
        <span class="top-post-parts">
          {SMALL_METRICS.flatMap(([metric, words]) => {
            const value = post.metrics[metric] ?? null
            return value === null ? [] : [`${formatCount(value)} ${words}`]
          }).join(' · ')}
        </span>
      </div>
    </li>
  )
}

/** The posts with the most engagement in the period. */
export function TopPostsPanel({ overview, busy }: { overview: Overview | undefined; busy: boolean }) {
  return (
    <Panel
      class="top-posts"
      title="Top posts"
      aside={
        <Link class="panel-link" href="/posts?sort=-engagements">
          All posts
        </Link>
      }
      busy={busy}
    >
      {overview === undefined ? (
        <SkeletonRows count={5} class="skeleton-post" />
      ) : overview.topPosts.length === 0 ? (
        <EmptyState title="No posts in this period.">
          <p class="quiet">Choose a longer period, or fewer filters.</p>
        </EmptyState>
      ) : (
        <>
          {overview.basis === 'gained' && (
            <p class="quiet small">Published in this period, by all that they have gathered so far.</p>
          )}
          <ol class="top-post-list">
            {overview.topPosts.map((post) => (
              <TopPostRow key={post.id} post={post} />
            ))}
          </ol>
        </>
      )}
    </Panel>
  )
}
