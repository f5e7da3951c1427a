import type { OverviewMetric } from '../../../src/http/wire.ts'
import { formatCompact, formatCount, formatFigure, formatRate, formatRateTick } from '../format/numbers.ts'

/**
 * How a metric behaves: a `flow` adds up over days, a `level` stands at a value on each of them,
 * a `rate` is a ratio of sums.
 */
export type MetricNature = 'flow' | 'level' | 'rate'

export interface MetricFacts {
  label: string
  nature: MetricNature
  /** What it is, in a sentence. */
  help: string
}

export const METRICS: Record<OverviewMetric, MetricFacts> = {
  engagements: {
    label: 'Engagements',
    nature: 'flow',
    help: 'Likes, comments, shares, quotes and saves together, of those the platform tells.',
  },
  followers: { label: 'Followers', nature: 'level', help: 'Followers at the end of each day.' },
  followersGained: {
    label: 'Followers gained',
    nature: 'flow',
    help: 'Followers at the end less those at the start; losses count as negative.',
  },
  posts: {
    label: 'Posts',
    nature: 'flow',
    help: "Posts of the accounts' own; reposts of others do not count.",
  },
  engagementRateByFollowers: {
    label: 'Engagement rate',
    nature: 'rate',
    help: 'Engagements per follower at the time of posting: the sum of one over the sum of the other.',
  },
  likes: { label: 'Likes', nature: 'flow', help: 'Likes, favourites and reactions.' },
  comments: { label: 'Comments', nature: 'flow', help: 'Replies and comments.' },
  shares: { label: 'Shares', nature: 'flow', help: 'Reposts, boosts and shares.' },
  quotes: { label: 'Quotes', nature: 'flow', help: 'Posts that quote a post.' },
  saves: { label: 'Saves', nature: 'flow', help: 'Bookmarks and saves.' },
  views: { label: 'Views', nature: 'flow', help: 'Views and plays, as each platform counts them.' },
  impressions: { label: 'Impressions', nature: 'flow', help: 'How often posts were shown.' },
  reach: {
    label: 'Reach',
    nature: 'flow',
    help: 'People who saw a post; added up over posts, so people can count twice.',
  },
  engagementRateByImpressions: {
    label: 'Engagement rate by impressions',
    nature: 'rate',
    help: 'Engagements per impression, over the posts whose impressions are known.',
  },
  engagementRateByReach: {
    label: 'Engagement rate by reach',
    nature: 'rate',
    help: 'Engagements per person reached, over the posts whose reach is known.',
  },
  engagementRateByViews: {
    label: 'Engagement rate by views',
    nature: 'rate',
    help: 'Engagements per view, over the posts whose views are known.',
  },
}

/** The keys of a record that has no others than its type says. */
function keysOf<K extends string>(record: Record<K, unknown>): K[] {
  return Object.keys(record) as K[]
}

/** In the order of the chooser. */
export const METRIC_NAMES = keysOf(METRICS)

export function isOverviewMetric(text: string | null): text is OverviewMetric {
  return text !== null && Object.hasOwn(METRICS, text)
}

/** A figure as a headline shows it. */
export function formatMetric(metric: OverviewMetric, value: number): string {
  return METRICS[metric].nature === 'rate' ? formatRate(value) : formatFigure(value)
}

/** The exact value, for tooltips and tables. */
export function formatMetricExact(metric: OverviewMetric, value: number): string {
  return METRICS[metric].nature === 'rate' ? formatRate(value) : formatCount(value)
}

/** A tick of its axis. */
export function formatMetricTick(metric: OverviewMetric, value: number): string {
  return METRICS[metric].nature === 'rate' ? formatRateTick(value) : formatCompact(value)
}
