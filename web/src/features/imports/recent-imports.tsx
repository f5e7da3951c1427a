import { getJobs } from '../../api/endpoints.ts'
import { formatInstant } from '../../format/dates.ts'
import { useLiveReload, usePoll } from '../../state/live.tsx'
import { useResource } from '../../state/resource.ts'
import { Link } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { Panel } from '../../ui/page.tsx'
import { isJobRunning, JobStatusBadge } from './job-status.tsx'

/** Imports of the last days, whose reports can still be read. Left out where there are none. */
export function RecentImports({ current }: { current: string | null }) {
  const timezone = useTimezone()
  const jobs = useResource('jobs', (signal) => getJobs(signal))
  useLiveReload(['job.updated'], jobs.reload, { minIntervalMs: 5_000 })
  usePoll(jobs.data?.items.some((job) => isJobRunning(job.status)) ?? false, jobs.reload, 5_000)
  const imports = (jobs.data?.items ?? []).filter((job) => job.kind === 'import')
  if (imports.length === 0) return null
  return (
    <Panel title="Recent imports">
      <ul class="plain-list">
        {imports.map((job) => (
          <li key={job.id} class="plain-row">
            <Link
              href={`/imports/${encodeURIComponent(job.id)}`}
              aria-current={job.id === current ? 'true' : undefined}
            >
              {formatInstant(job.createdAt, timezone)}
            </Link>
            <JobStatusBadge status={job.status} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
