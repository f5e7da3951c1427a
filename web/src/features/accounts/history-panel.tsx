import { useState } from 'preact/hooks'
import { type ACCOUNT_MEASURES, PLATFORM_FACTS } from '../../../../src/domain/platforms.ts'
import type { Account } from '../../../../src/http/wire.ts'
import { getAccountMetrics } from '../../api/endpoints.ts'
import { ReadingsPanel } from '../../charts/readings-panel.tsx'
import { unknownMeasureWords } from '../../domain/unknown-metric.ts'
import { useResource } from '../../state/resource.ts'
import { MEASURE_LABELS } from './measures.ts'

/** How the counts of an account came to be what they are: the last reading of each day. */
export function HistoryPanel({ account }: { account: Account }) {
  const { id, platform, metricsAt } = account
  const [measure, setMeasure] = useState<(typeof ACCOUNT_MEASURES)[number]>('followers')
  const points = useResource(`account metrics ${id} ${metricsAt?.slice(0, 10) ?? ''}`, (signal) =>
    getAccountMetrics(id, signal),
  )
  return (
    <ReadingsPanel
      names={PLATFORM_FACTS[platform].accountMeasures}
      labels={(name) => MEASURE_LABELS[name]}
      chosen={measure}
      choose={setMeasure}
      choiceName="Count in the chart"
      rows={points}
      readingOf={(point, name) => ({ at: point.at, value: point[name] })}
      help="The last reading of each day."
      caption={`${MEASURE_LABELS[measure]}, the last reading of each day.`}
      unknownWords={unknownMeasureWords(measure, platform)}
    />
  )
}
