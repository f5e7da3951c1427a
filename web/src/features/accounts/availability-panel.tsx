import { PLATFORM_FACTS, type Platform, POST_METRICS } from '../../../../src/domain/platforms.ts'
import { METRICS } from '../../domain/metrics.ts'
import { formatDuration } from '../../format/dates.ts'
import { Panel } from '../../ui/page.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'

/** What a platform tells of a post, and what has to be known of it. */
export function AvailabilityPanel({ platform }: { platform: Platform }) {
  const { measures, caveats, storage, separate, minimumIntervalSeconds } = PLATFORM_FACTS[platform]
  const label = platformLabel(platform)
  const rules = [
    minimumIntervalSeconds !== undefined &&
      `Accounts are read every ${formatDuration(minimumIntervalSeconds).replace(/^1 /, '')} at most, as ${label} allows no more.`,
    separate,
    storage?.rule,
  ].filter((rule) => typeof rule === 'string')
  return (
    <Panel title={`What ${label} tells`}>
      <ul class="availability">
        {POST_METRICS.map((metric) => (
          <li key={metric}>
            <span class="report-name">{METRICS[metric].label}</span>
            {(measures as readonly string[]).includes(metric) ? (
              <span>{caveats[metric] ?? 'Of every post.'}</span>
            ) : (
              <span class="quiet">Not available on {label}</span>
            )}
          </li>
        ))}
      </ul>
      {rules.map((rule) => (
        <p key={rule} class="quiet small">
          {rule}
        </p>
      ))}
    </Panel>
  )
}
