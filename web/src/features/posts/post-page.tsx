import { useEffect, useState } from 'preact/hooks'
import { PLATFORM_FACTS } from '../../../../src/domain/platforms.ts'
import type { Post } from '../../../../src/http/wire.ts'
import { getPost, getPostSnapshots } from '../../api/endpoints.ts'
import { lastKnownWords } from '../../domain/last-known.ts'
import { changedPosts, namesNothing, withMetrics } from '../../domain/live-events.ts'
import { METRICS } from '../../domain/metrics.ts'
import { unknownPostWords } from '../../domain/unknown-metric.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useLiveEvents, useLiveReload } from '../../state/live.tsx'
import { useNow } from '../../state/now.ts'
import { useResource } from '../../state/resource.ts'
import { Link } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { LiveFigure } from '../../ui/figures.tsx'
import { BackIcon, ExternalIcon, LinkIcon } from '../../ui/icons.tsx'
import { Page } from '../../ui/page.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { mediaLabel } from '../../ui/post-kind.ts'
import { Banner, ErrorState, Skeleton } from '../../ui/states.tsx'
import { POST_METRIC_NAMES } from './post-metrics.ts'
import { PostMeta } from './posts-table.tsx'
import { SnapshotsPanel } from './snapshots-panel.tsx'

function Media({ post }: { post: Post }) {
  if (post.media.length === 0) return null
  return (
    <ul class="media-list">
      {post.media.map((medium, i) => (
        <li key={`${i} ${medium.url}`}>
          <LinkIcon size={16} />
          {medium.url === null ? (
            <span>{mediaLabel([medium])}</span>
          ) : (
            <a href={medium.url} target="_blank" rel="noopener noreferrer">
              {mediaLabel([medium])}
            </a>
          )}
          {medium.alt && <span class="quiet">“{medium.alt}”</span>}
        </li>
      ))}
    </ul>
  )
}

function Figures({ post }: { post: Post }) {
  const timezone = useTimezone()
  const isImported = useAccounts().byId.get(post.accountId)?.status === 'imported'
  const { caveats } = PLATFORM_FACTS[post.platform]
  return (
    <dl class="post-figures">
      {POST_METRIC_NAMES.map((metric) => {
        const value = post.metrics[metric]
        const caveat = value === null || metric === 'engagements' ? undefined : caveats[metric]
        const words = value === null ? null : lastKnownWords(post, metric, timezone, isImported)
        return (
          <div key={metric} title={METRICS[metric].help}>
            <dt>{METRICS[metric].label}</dt>
            <dd>
              {value === null ? (
                <span class="figure-unknown">{unknownPostWords(metric, post.platform)}</span>
              ) : (
                <LiveFigure value={value} of={post.id}>
                  {formatCount(value)}
                </LiveFigure>
              )}
            </dd>
            {words !== null && <dd class="figure-caveat">{words}.</dd>}
            {caveat !== undefined && <dd class="figure-caveat">{caveat}</dd>}
          </div>
        )
      })}
    </dl>
  )
}

function PostText({ post }: { post: Post }) {
  const timezone = useTimezone()
  const nowMs = useNow()
  return (
    <section class="panel" aria-label="The post">
      <PostMeta post={post} />
      <p class="post-full-text">{post.text?.trim() || <span class="quiet">This post has no text.</span>}</p>
      <Media post={post} />
      {post.hashtags.length > 0 && (
        <ul class="chips">
          {post.hashtags.map((tag) => (
            <li key={tag}>
              <Link class="chip" href={`/posts?hashtags=${encodeURIComponent(tag)}`}>
                #{tag}
              </Link>
            </li>
          ))}
        </ul>
      )}
      <div class="post-foot">
        {post.url && (
          <a class="button" href={post.url} target="_blank" rel="noopener noreferrer">
            <ExternalIcon size={16} /> Open on {platformLabel(post.platform)}
          </a>
        )}
        {post.metricsAt !== null && (
          <span class="quiet small" title={formatInstant(post.metricsAt, timezone)}>
            Figures read {formatRelative(post.metricsAt, nowMs)}
          </span>
        )}
      </div>
    </section>
  )
}

/** One post: what it says, how it does, and how it got there. */
export function PostPage({ id }: { id: string }) {
  const post = useResource(`post ${id}`, (signal) => getPost(id, signal))
  const snapshots = useResource(`snapshots ${id}`, (signal) => getPostSnapshots(id, signal))
  const [patch, setPatch] = useState<Record<string, number | null> | undefined>()
  useEffect(() => setPatch(undefined), [post.data])
  useLiveEvents(['metrics.updated'], (event) => {
    const changed = changedPosts(event.data).get(id)
    if (changed !== undefined) {
      setPatch(changed)
      // Its counts are there; of when they are is not told.
      void Promise.all([post.reload(), snapshots.reload()])
    } else if (namesNothing(event.data)) void Promise.all([post.reload(), snapshots.reload()])
  })
  useLiveReload([], async () => void (await Promise.all([post.reload(), snapshots.reload()])))

  const back = (
    <Link class="button" href="/posts">
      <BackIcon size={16} /> All posts
    </Link>
  )
  const shown = post.data && withMetrics(post.data, patch)
  return (
    <Page title="Post" actions={back}>
      {shown === undefined ? (
        <section class="panel">
          {post.error === undefined ? (
            <Skeleton class="skeleton-block" />
          ) : (
            <ErrorState
              error={post.error}
              retry={post.error.status === 404 ? undefined : () => void post.reload()}
            />
          )}
        </section>
      ) : (
        <>
          {post.error !== undefined && (
            <Banner tone="bad">The post could not be refreshed. {post.error.message}</Banner>
          )}
          <div class="post-columns">
            <PostText post={shown} />
            <section class="panel" aria-label="Figures">
              <Figures post={shown} />
            </section>
          </div>
          <SnapshotsPanel snapshots={snapshots} platform={shown.platform} />
        </>
      )}
    </Page>
  )
}
