import { formatClock } from '../format/dates.ts'
import type { LiveState } from '../live/client.ts'
import { useLiveStatus } from '../state/live.tsx'
import { useTimezone } from '../state/session.tsx'

const WORDS: Record<LiveState, { label: string; announcement: string; title: string }> = {
  connecting: { label: 'Connecting', announcement: '', title: 'Connecting to live updates.' },
  live: {
    label: 'Live',
    announcement: 'Live updates are on.',
    title: 'Figures update by themselves as soon as they change.',
  },
  reconnecting: {
    label: 'Reconnecting',
    announcement: 'Live updates were interrupted; reconnecting.',
    title: 'The live connection was lost. Until it is back, the page asks every half minute.',
  },
  offline: {
    label: 'Offline',
    announcement: 'Offline: figures do not update.',
    title: 'There is no connection. Figures are as of the time shown.',
  },
  stopped: {
    label: 'Not live',
    announcement: 'Live updates are off.',
    title: 'Live updates are not available; the page asks every half minute instead.',
  },
}

/** Whether the page updates by itself, and when it last did. */
export function LiveIndicator() {
  const { state, lastUpdateMs } = useLiveStatus()
  const timezone = useTimezone()
  const words = WORDS[state]
  return (
    <div class={`live live-${state}`} title={words.title}>
      <span class="live-dot" aria-hidden="true" />
      <span class="live-words">
        {words.label}
        {lastUpdateMs !== null && (
          <span class="live-time">
            <span class="visually-hidden">, last update </span>
            {formatClock(new Date(lastUpdateMs), timezone)}
          </span>
        )}
      </span>
      <span class="visually-hidden" role="status">
        {words.announcement}
      </span>
    </div>
  )
}
