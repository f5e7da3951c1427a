import type { ImportReport, Job } from '../../../../src/http/wire.ts'
import { getImport, getJob } from '../../api/endpoints.ts'
import { updatedJobId } from '../../domain/live-events.ts'
import { formatInstant } from '../../format/dates.ts'
import { formatBytes, formatCount, plural } from '../../format/numbers.ts'
import { useLiveReload, usePoll } from '../../state/live.tsx'
import { useResource } from '../../state/resource.ts'
import { Link } from '../../state/router.tsx'
import { useTimezone } from '../../state/session.tsx'
import { LiveFigure } from '../../ui/figures.tsx'
import { Panel } from '../../ui/page.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { Banner, ErrorState, Skeleton } from '../../ui/states.tsx'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'
import { isJobRunning, JobStatusBadge } from './job-status.tsx'

/** How often a running import is asked for besides what events tell. */
const POLL_INTERVAL_MS = 2_500

const COUNTS: readonly {
  name: 'inserted' | 'updated' | 'unchanged' | 'rejected'
  label: string
  help: string
}[] = [
  { name: 'inserted', label: 'New', help: 'Posts that were not here before' },
  { name: 'updated', label: 'Updated', help: 'Posts whose figures or text changed' },
  { name: 'unchanged', label: 'Unchanged', help: 'Posts that were here just so' },
  { name: 'rejected', label: 'Rejected', help: 'Lines that could not be understood' },
]

function Rejected({ report }: { report: ImportReport }) {
  if (report.errors.length === 0) return null
  const more = report.rejected - new Set(report.errors.map((error) => error.line)).size
  return (
    <>
      <h3>Rejected lines</h3>
      <ScrollRegion label="Rejected lines" class="chart-table import-errors">
        <table class="table">
          <TableHead columns={[{ label: 'Line', number: true }, 'Column', 'What is wrong']} />
          <tbody>
            {report.errors.map((error, i) => (
              <tr key={`${error.line} ${error.column} ${i}`}>
                <td class="number">{formatCount(error.line)}</td>
                <td>
                  {error.column === null ? (
                    <span class="quiet">whole line</span>
                  ) : (
                    <code>{error.column}</code>
                  )}
                </td>
                <td>{error.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {more > 0 && <p class="quiet small">and {plural(more, 'more line')}, not listed.</p>}
    </>
  )
}

function Outcome({ report, job }: { report: ImportReport; job: Job | undefined }) {
  if (report.status === 'failed')
    return (
      <Banner tone="bad">
        The import stopped. {job?.error?.message ?? 'What was read up to then is kept.'}
      </Banner>
    )
  if (report.status === 'succeeded' && report.accepted > 0)
    return (
      <p>
        <Link class="button" href={`/posts?platforms=${report.platform}`}>
          See the posts
        </Link>
      </p>
    )
  return null
}

/** How one import stands: how far, what it changed, and every line that was refused. */
export function ImportReportPanel({ id }: { id: string }) {
  const timezone = useTimezone()
  const report = useResource(`import ${id}`, (signal) => getImport(id, signal))
  const { data, error } = report
  const running = data !== undefined && isJobRunning(data.status)
  const job = useResource(data?.status === 'failed' ? `job ${id}` : null, (signal) => getJob(id, signal))
  useLiveReload(['job.updated'], report.reload, { matters: (event) => updatedJobId(event.data) === id })
  usePoll(running, report.reload, POLL_INTERVAL_MS)

  if (data === undefined)
    return (
      <Panel title="Import">
        {error === undefined ? (
          <Skeleton class="skeleton-block" />
        ) : (
          <ErrorState error={error} retry={error.status === 404 ? undefined : () => void report.reload()} />
        )}
      </Panel>
    )
  return (
    <Panel
      title={`Import of ${platformLabel(data.platform)} posts`}
      aside={
        <span role="status">
          <JobStatusBadge status={data.status} />
        </span>
      }
    >
      <p class="quiet">
        {data.format.toUpperCase()}, {formatBytes(data.sizeBytes)}, {formatInstant(data.createdAt, timezone)}
      </p>
      {running && (
        <progress
          class="import-progress"
          max={Math.max(1, data.sizeBytes)}
          value={data.processedBytes}
          aria-label="Read so far"
        />
      )}
      <dl class="post-figures import-counts">
        {COUNTS.map(({ name, label, help }) => (
          <div key={name} title={help} class={name === 'rejected' && data.rejected > 0 ? 'is-bad' : ''}>
            <dt>{label}</dt>
            <dd>
              <LiveFigure value={data[name]} of={id}>
                {formatCount(data[name])}
              </LiveFigure>
            </dd>
          </div>
        ))}
      </dl>
      <Outcome report={data} job={job.data} />
      <Rejected report={data} />
    </Panel>
  )
}
