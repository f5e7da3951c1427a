import { useState } from 'preact/hooks'
import { PLATFORMS, type Platform } from '../../../../src/domain/platforms.ts'
import type { Budgets } from '../../../../src/http/wire.ts'
import { switchSync } from '../../api/access.ts'
import { formatDay } from '../../format/dates.ts'
import { formatUsd, plural } from '../../format/numbers.ts'
import { useToast } from '../../state/toasts.tsx'
import { CALL_COLUMNS, CallCells, LatencyCell } from '../../ui/call-cells.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { PauseIcon, PlayIcon } from '../../ui/icons.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { Banner } from '../../ui/states.tsx'
import { ACTIONS_COLUMN, ScrollRegion, TableHead } from '../../ui/table.tsx'
import { AllowancesView } from './allowances-view.tsx'

type Called = Budgets['platforms'][number]

/** What somebody is about to stop, or to let go on. */
interface Switch {
  what: 'pause' | 'resume'
  platform: Platform | 'all'
}

function nameOf(platform: Platform | 'all'): string {
  return platform === 'all' ? 'all platforms' : platformLabel(platform)
}

function Tallies({ called }: { called: Called | undefined }) {
  if (called === undefined)
    return (
      <td colSpan={CALL_COLUMNS.length + 1} class="quiet no-calls">
        No calls in the last 24 hours
      </td>
    )
  return (
    <>
      <CallCells tallies={called} />
      <LatencyCell label="The slowest" ms={called.slowestMs} />
    </>
  )
}

function PlatformRow({
  platform,
  called,
  isPaused,
  turn,
}: {
  platform: Platform
  called: Called | undefined
  isPaused: boolean
  turn: (asked: Switch) => void
}) {
  const label = platformLabel(platform)
  return (
    <tr>
      <th scope="row">
        <span class="platform-name">
          <PlatformBadge platform={platform} />
          {label}
          {isPaused && <span class="status status-warning">Stopped</span>}
        </span>
      </th>
      <Tallies called={called} />
      <td class="actions-cell">
        <button
          type="button"
          class="button button-quiet"
          onClick={() => turn({ what: isPaused ? 'resume' : 'pause', platform })}
        >
          {isPaused ? 'Resume' : 'Stop'}
          <span class="visually-hidden"> calls to {label}</span>
        </button>
      </td>
    </tr>
  )
}

function SwitchDialog({
  asked: { what, platform },
  done,
  onClose,
}: {
  asked: Switch
  done: () => Promise<void>
  onClose: () => void
}) {
  const toast = useToast()
  const name = nameOf(platform)
  const run = async () => {
    await switchSync(what, platform === 'all' ? undefined : platform)
    onClose()
    toast({ message: what === 'pause' ? `Calls to ${name} are stopped.` : `Calls to ${name} go on.` })
    await done()
  }
  return what === 'pause' ? (
    <ConfirmDialog title={`Stop calls to ${name}?`} action="Stop calls" run={run} onClose={onClose}>
      <p>
        It holds within seconds, for every workspace, and until somebody resumes them. What is due stays due:
        figures stay as they are, and their accounts say why.
      </p>
    </ConfirmDialog>
  ) : (
    <ConfirmDialog
      title={`Resume calls to ${name}?`}
      action="Resume calls"
      isHarmless
      run={run}
      onClose={onClose}
    >
      <p>
        {platform === 'all'
          ? 'Platforms that were stopped by name stay stopped.'
          : 'What has become due meanwhile is read within the next minutes.'}
      </p>
    </ConfirmDialog>
  )
}

/** What was called in the last day, what may be, and the switch that stops it. */
export function CallsView({ budgets, reload }: { budgets: Budgets; reload: () => Promise<void> }) {
  const [asked, setAsked] = useState<Switch | null>(null)
  const { paused, platforms, money, outdatedMessages } = budgets
  const called = new Map(platforms.map((entry) => [entry.platform, entry]))
  const isAllPaused = paused.includes('all')
  return (
    <>
      {isAllPaused && (
        <Banner tone="warning">
          Calls to all platforms are stopped: nothing is read until they are resumed.
        </Banner>
      )}
      <div class="place-actions">
        <button
          type="button"
          class="button"
          onClick={() => setAsked({ what: isAllPaused ? 'resume' : 'pause', platform: 'all' })}
        >
          {isAllPaused ? <PlayIcon size={16} /> : <PauseIcon size={16} />}
          {isAllPaused ? 'Resume all calls' : 'Stop all calls'}
        </button>
      </div>
      <h3>In the last 24 hours</h3>
      <ScrollRegion label="Calls in the last 24 hours">
        <table class="table table-stacked calls-table">
          <TableHead
            columns={['Platform', ...CALL_COLUMNS, { label: 'The slowest', number: true }, ACTIONS_COLUMN]}
          />
          <tbody>
            {PLATFORMS.map((platform) => (
              <PlatformRow
                key={platform}
                platform={platform}
                called={called.get(platform)}
                isPaused={paused.includes(platform)}
                turn={setAsked}
              />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {money.length > 0 && (
        <p class="quiet small">
          Every workspace may spend{' '}
          {money
            .map(
              ({ platform, dailyUsdPerWorkspace }) =>
                `${formatUsd(dailyUsdPerWorkspace)} a day on ${platformLabel(platform)}`,
            )
            .join(', ')}
          .
        </p>
      )}
      {outdatedMessages.length > 0 && (
        <p class="quiet small">
          Messages that came a day late and were dropped:{' '}
          {outdatedMessages
            .map(({ day, count }) => `${plural(count, 'message')} on ${formatDay(day)}`)
            .join(', ')}
          .
        </p>
      )}
      <h3>Allowances</h3>
      <AllowancesView allowances={budgets.allowances} />
      {asked !== null && <SwitchDialog asked={asked} done={reload} onClose={() => setAsked(null)} />}
    </>
  )
}
