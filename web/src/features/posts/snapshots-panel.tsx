import { useState } from 'preact/hooks'
import type { Platform } from '../../../../src/domain/platforms.ts'
import type { PostSnapshot } from '../../../../src/http/wire.ts'
import { ReadingsPanel } from '../../charts/readings-panel.tsx'
import { METRICS } from '../../domain/metrics.ts'
import { unknownPostWords } from '../../domain/unknown-metric.ts'
import type { Resource } from '../../state/resource.ts'
import { POST_METRIC_NAMES, type PostMetricName } from './post-metrics.ts'

/** How a figure of the post came to be what it is: every reading that changed it. */
export function SnapshotsPanel({
  snapshots,
  platform,
}: {
  snapshots: Resource<PostSnapshot[]>
  platform: Platform
}) {
  const [metric, setMetric] = useState<PostMetricName>('engagements')
  return (
    <ReadingsPanel
      names={POST_METRIC_NAMES}
      labels={(name) => METRICS[name].label}
      chosen={metric}
      choose={setMetric}
      choiceName="Figure in the chart"
      rows={snapshots}
      readingOf={(snapshot, name) => ({ at: snapshot.observedAt, value: snapshot[name] })}
      help="Over time, at every reading that found a change."
      caption={`${METRICS[metric].label} of this post at each reading.`}
      unknownWords={unknownPostWords(metric, platform)}
    />
  )
}
