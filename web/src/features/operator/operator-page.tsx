import type { ComponentChildren } from 'preact'
import { useCallback } from 'preact/hooks'
import {
  getBudgets,
  getCircuitBreakers,
  getDatabase,
  getHealth,
  getMalformedAnswers,
  getOutbox,
  getSchedules,
} from '../../api/access.ts'
import { usePoll } from '../../state/live.tsx'
import { type Resource, useResource } from '../../state/resource.ts'
import { SyncIcon } from '../../ui/icons.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { Banner, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { BreakersView } from './breakers-view.tsx'
import { CallsView } from './calls-view.tsx'
import { DatabaseReportView } from './database-view.tsx'
import { DeadLettersPanel } from './dead-letters-panel.tsx'
import { HealthView } from './health-view.tsx'
import { MalformedView } from './malformed-view.tsx'
import { OutboxView } from './outbox-view.tsx'
import { SchedulesView } from './schedules-view.tsx'

/** How often the page asks by itself. */
const POLL_MS = 15_000

/** A part of the page that stands by itself: one that fails leaves the others. */
function ReportPanel<T>({
  title,
  report,
  rows,
  children,
}: {
  title: string
  report: Resource<T>
  /** How much room to keep until it is there. */
  rows: number
  children: (data: T) => ComponentChildren
}) {
  const { data, error, reload } = report
  return (
    <Panel title={title}>
      {data !== undefined && error !== undefined && (
        <Banner tone="bad">This could not be refreshed. {error.message}</Banner>
      )}
      {data !== undefined ? (
        children(data)
      ) : error === undefined ? (
        <SkeletonRows count={rows} />
      ) : (
        <ErrorState error={error} retry={() => void reload()} />
      )}
    </Panel>
  )
}

/** How the deployment itself is, for those who run it. */
export function OperatorPage() {
  const health = useResource('ops health', (signal) => getHealth(signal))
  const outbox = useResource('ops outbox', (signal) => getOutbox(signal))
  const schedules = useResource('ops schedules', (signal) => getSchedules(signal))
  const database = useResource('ops database', (signal) => getDatabase(signal))
  const budgets = useResource('ops budgets', (signal) => getBudgets(signal))
  const breakers = useResource('ops circuit-breakers', (signal) => getCircuitBreakers(signal))
  const malformed = useResource('ops malformed-answers', (signal) => getMalformedAnswers(signal))
  const reports = [health, outbox, schedules, budgets, breakers, malformed, database]
  const reloads = reports.map((report) => report.reload)
  const reload = useCallback(async () => {
    await Promise.all(reloads.map((again) => again()))
  }, reloads)
  usePoll(true, reload, POLL_MS)
  return (
    <Page
      title="Deployment"
      lead="What every workspace here rests on. Only operators see this."
      actions={
        <button type="button" class="button" onClick={() => void reload()}>
          <SyncIcon size={16} /> Refresh
        </button>
      }
    >
      <div class="columns">
        <ReportPanel title="Health" report={health} rows={5}>
          {(data) => <HealthView health={data} />}
        </ReportPanel>
        <div class="stack">
          <ReportPanel title="Outbox" report={outbox} rows={2}>
            {(data) => <OutboxView outbox={data} />}
          </ReportPanel>
          <ReportPanel title="Schedules" report={schedules} rows={5}>
            {(data) => <SchedulesView schedules={data.items} />}
          </ReportPanel>
        </div>
      </div>
      <ReportPanel title="Calls" report={budgets} rows={10}>
        {(data) => <CallsView budgets={data} reload={budgets.reload} />}
      </ReportPanel>
      <div class="columns">
        <ReportPanel title="Circuit breakers" report={breakers} rows={5}>
          {(data) => <BreakersView breakers={data.items} leftOut={data.platformsLeftOut} />}
        </ReportPanel>
        <ReportPanel title="Malformed answers" report={malformed} rows={3}>
          {(data) => <MalformedView answers={data} />}
        </ReportPanel>
      </div>
      <DeadLettersPanel />
      <ReportPanel title="Database" report={database} rows={6}>
        {(data) => <DatabaseReportView report={data} />}
      </ReportPanel>
    </Page>
  )
}
