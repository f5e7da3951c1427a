import {
  type AccountMeasure,
  ENGAGEMENT_METRICS,
  PLATFORM_FACTS,
  type Platform,
  type PostMetric,
} from '../../../src/domain/platforms.ts'
import { formatDate } from '../format/dates.ts'

interface Counted {
  platform: Platform
  lastKnown: Partial<Record<PostMetric | AccountMeasure, string | undefined>> | null
}

/**
 * What has to be said of a figure that its platform does not give at the moment and once gave; `null` of any other.
 * @param isImported whether it comes from files alone
 */
export function lastKnownWords(
  { platform, lastKnown }: Counted,
  metric: PostMetric | AccountMeasure | 'engagements',
  timezone: string,
  isImported: boolean,
): string | null {
  const parts = metric === 'engagements' ? ENGAGEMENT_METRICS : [metric]
  const [oldest] = parts.flatMap((name) => lastKnown?.[name] ?? []).sort()
  if (oldest === undefined) return null
  const known = metric === 'engagements' ? 'In part last known on' : 'Last known on'
  const since = isImported
    ? 'newer files do not say'
    : `${PLATFORM_FACTS[platform].label} does not give it at the moment`
  return `${known} ${formatDate(oldest, timezone)}; ${since}`
}
