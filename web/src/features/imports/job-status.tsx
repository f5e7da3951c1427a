import type { Job } from '../../../../src/http/wire.ts'
import type { Tone } from '../../domain/account-status.ts'

const WORDS: Record<Job['status'], { label: string; tone: Tone }> = {
  queued: { label: 'Waiting', tone: 'quiet' },
  running: { label: 'Running', tone: 'warning' },
  succeeded: { label: 'Done', tone: 'good' },
  failed: { label: 'Failed', tone: 'bad' },
  cancelled: { label: 'Cancelled', tone: 'quiet' },
  expired: { label: 'Expired', tone: 'quiet' },
}

export function isJobRunning(status: Job['status']): boolean {
  return status === 'queued' || status === 'running'
}

/** How a job stands, in a word. */
export function JobStatusBadge({ status }: { status: Job['status'] }) {
  return <span class={`status status-${WORDS[status].tone}`}>{WORDS[status].label}</span>
}
