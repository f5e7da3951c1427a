import type { TrendingHashtags, TrendingItem, TrendingWindow } from '../../../../src/http/wire.ts'
import { formatInstant } from '../../format/dates.ts'
import { formatCount, formatDecimal, plural } from '../../format/numbers.ts'
import type { Resource } from '../../state/resource.ts'
import { Link } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { LiveFigure } from '../../ui/figures.tsx'
import { InfoIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { Popover } from '../../ui/popover.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Sparkline } from '../../ui/sparkline.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'

const WINDOWS = [
  { value: '1h', label: '1h', name: 'Last hour', title: 'Last hour' },
  { value: '24h', label: '24h', name: 'Last 24 hours', title: 'Last 24 hours' },
  { value: '7d', label: '7d', name: 'Last 7 days', title: 'Last 7 days' },
] as const

const WINDOW_WORDS: Record<TrendingWindow, string> = {
  '1h': 'the last hour',
  '24h': 'the last 24 hours',
  '7d': 'the last 7 days',
}

/** A rise that is over is told as it was at its peak; uses are those of now. */
function whyWords(item: TrendingItem, generatedAt: string): string {
  const isOver = Date.parse(item.peakAt) < Date.parse(generatedAt)
  const observed = isOver ? `peak ${formatCount(item.observed)}` : plural(item.observed, 'post')
  return `${observed}, ${formatDecimal(item.expected)} expected`
}

function TrendingRow({
  item,
  window,
  generatedAt,
}: {
  item: TrendingItem
  window: TrendingWindow
  generatedAt: string
}) {
  const timezone = useTimezone()
  return (
    <li>
      <Link
        class="trend"
        href={`/posts?hashtags=${encodeURIComponent(item.tag)}`}
        title={`Peaked ${formatInstant(item.peakAt, timezone)}. Show the posts with #${item.tag}`}
      >
        <span class="trend-rank">
          <span class="visually-hidden">Rank </span>
          {item.rank}
        </span>
        <span class="trend-words">
          <span class="trend-tag">#{item.tag}</span>
          <span class="trend-why">{whyWords(item, generatedAt)}</span>
        </span>
        <Sparkline values={item.sparkline} />
        <span class="trend-uses">
          <LiveFigure value={item.uses} of={`${item.tag} ${window}`}>
            {formatCount(item.uses)}
          </LiveFigure>
          <span class="trend-unit">{item.uses === 1 ? 'use' : 'uses'}</span>
        </span>
      </Link>
    </li>
  )
}

function Explanation() {
  return (
    <Popover
      label={<InfoIcon size={18} />}
      name="How hashtags are ranked"
      panelLabel="How hashtags are ranked"
      buttonClass="icon-button"
      chevron={false}
    >
      {() => (
        <p class="popover-text">
          A hashtag rises when more posts use it than the time before, at the same hours, makes one expect.
          “12 posts, 3.2 expected” ranks above “40 posts, 38 expected”. A rise loses weight as it grows old.
        </p>
      )}
    </Popover>
  )
}

/** The hashtags that are used more than one would expect. */
export function TrendingPanel({
  trending,
  window,
  chooseWindow,
}: {
  trending: Resource<TrendingHashtags>
  window: TrendingWindow
  chooseWindow: (window: TrendingWindow) => void
}) {
  const { data, error, outdated } = trending
  const body =
    data === undefined ? (
      error === undefined ? (
        <SkeletonRows count={6} class="skeleton-trend" />
      ) : (
        <ErrorState error={error} retry={() => void trending.reload()} />
      )
    ) : data.items.length === 0 ? (
      <EmptyState title={`No hashtag stood out in ${WINDOW_WORDS[data.window]}.`}>
        <p class="quiet">A hashtag appears here once at least three posts use it, more than usual.</p>
      </EmptyState>
    ) : (
      <ol class="trends">
        {data.items.map((item) => (
          <TrendingRow key={item.tag} item={item} window={data.window} generatedAt={data.generatedAt} />
        ))}
      </ol>
    )
  return (
    <Panel
      class="trending"
      title={
        <>
          Trending hashtags <Explanation />
        </>
      }
      aside={
        <Segmented<TrendingWindow> legend="Window" options={WINDOWS} value={window} onChange={chooseWindow} />
      }
      busy={outdated}
    >
      {data?.stale && (
        <Banner tone="warning">This ranking is an older one; it cannot be renewed at the moment.</Banner>
      )}
      {body}
    </Panel>
  )
}
