import {
  type ACCOUNT_MEASURES,
  PLATFORM_FACTS,
  type Platform,
  type PostMetric,
} from '../../../src/domain/platforms.ts'
import type { OverviewMetric } from '../../../src/http/wire.ts'
import { METRICS } from './metrics.ts'
import type { Basis } from './overview-filters.ts'

/** What a rate is divided by; the metrics without an entry are counted as they are. */
const DENOMINATORS: Partial<Record<OverviewMetric, PostMetric>> = {
  engagementRateByImpressions: 'impressions',
  engagementRateByReach: 'reach',
  engagementRateByViews: 'views',
}

function isMeasured(platform: Platform, metric: OverviewMetric): boolean {
  const needed: string = DENOMINATORS[metric] ?? metric
  const { measures } = PLATFORM_FACTS[platform]
  const perPost = ['likes', 'comments', 'shares', 'quotes', 'saves', 'views', 'impressions', 'reach']
  return !perPost.includes(needed) || (measures as readonly string[]).includes(needed)
}

/**
 * Why a figure has no number, in few words: the platforms never give it, it does not exist in this reading
 * of the period, or there is none in this period.
 */
export function unknownWords(
  metric: OverviewMetric,
  platforms: readonly Platform[],
  basis: Basis = 'published',
): string {
  if (basis === 'gained' && METRICS[metric].nature === 'rate') return 'Only for what was published'
  if (metric === 'engagementRateByFollowers') return 'Followers at posting time not known'
  if (platforms.length === 0 || platforms.some((platform) => isMeasured(platform, metric)))
    return 'Not known for this period'
  const [only] = platforms
  return platforms.length === 1 && only !== undefined
    ? `Not available on ${PLATFORM_FACTS[only].label}`
    : 'Not available on these platforms'
}

/** The same for a single post. */
export function unknownPostWords(metric: OverviewMetric, platform: Platform): string {
  return isMeasured(platform, metric) ? 'Not known' : `Not available on ${PLATFORM_FACTS[platform].label}`
}

/** The same for a count of an account. */
export function unknownMeasureWords(measure: (typeof ACCOUNT_MEASURES)[number], platform: Platform): string {
  const { accountMeasures, label } = PLATFORM_FACTS[platform]
  return accountMeasures.includes(measure) ? 'Not known' : `Not available on ${label}`
}

/** The same for a total of the overview, which leaves some platforms out. */
export function unknownTotalWords(
  metric: OverviewMetric,
  overview: { platforms: { platform: Platform }[]; excluded: { platform: Platform }[]; basis: Basis },
): string {
  const excluded = new Set(overview.excluded.map((entry) => entry.platform))
  const platforms = overview.platforms
    .map((entry) => entry.platform)
    .filter((platform) => !excluded.has(platform))
  return unknownWords(metric, platforms, overview.basis)
}
