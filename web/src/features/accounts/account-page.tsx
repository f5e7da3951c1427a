import type { ComponentChildren } from 'preact'
import { ACCOUNT_MEASURES, PLATFORM_FACTS } from '../../../../src/domain/platforms.ts'
import type { Account } from '../../../../src/http/wire.ts'
import { getAccount } from '../../api/endpoints.ts'
import { isFirstReading, nextDue } from '../../domain/account-status.ts'
import { isBySigningIn } from '../../domain/connecting.ts'
import { lastKnownWords } from '../../domain/last-known.ts'
import { unknownMeasureWords } from '../../domain/unknown-metric.ts'
import { dueWords, formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useBrands } from '../../state/brands.tsx'
import { useNow } from '../../state/now.ts'
import { useResource } from '../../state/resource.ts'
import { Link, navigate } from '../../state/router.tsx'
import { useCanWrite, useTimezone } from '../../state/session.tsx'
import { Avatar, accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { LiveFigure } from '../../ui/figures.tsx'
import { Explanation, StatusBadge } from '../../ui/freshness.tsx'
import { BackIcon, ExternalIcon, PostsIcon } from '../../ui/icons.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { ErrorState, Skeleton } from '../../ui/states.tsx'
import { AccountActionButtons } from './account-action-buttons.tsx'
import { AvailabilityPanel } from './availability-panel.tsx'
import { HistoryPanel } from './history-panel.tsx'
import { MEASURE_LABELS } from './measures.ts'
import { MendAccess } from './mend-access.tsx'
import { useAccountActions } from './use-account-actions.ts'

function When({ instant, words }: { instant: string; words: string }) {
  const timezone = useTimezone()
  return (
    <>
      <time dateTime={instant}>{words}</time>
      <span class="quiet small"> {formatInstant(instant, timezone)}</span>
    </>
  )
}

/** What an account is read with, in words. */
function readWith({ platform, credentials, status }: Account): string {
  if (status === 'imported') return 'It is filled from files'
  if (isBySigningIn(platform))
    return credentials === null ? 'Nothing: somebody has to sign in' : 'What somebody agreed to there'
  return credentials === null ? 'As anybody may' : 'An access token'
}

/** What stands in place of the time at which an account is due. */
const unplanned = (account: Account) =>
  isFirstReading(account) ? 'Its first sync is under way' : 'Not planned'

function Facts({ account }: { account: Account }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const brands = useBrands()
  const { lastSyncedAt, backfilling } = account.freshness
  const due = nextDue(account)
  const expiresAt = account.credentials?.expiresAt ?? null
  const rows: [label: string, value: ComponentChildren][] = [
    [
      'Last read',
      lastSyncedAt === null ? (
        'Not yet'
      ) : (
        <When instant={lastSyncedAt} words={formatRelative(lastSyncedAt, nowMs)} />
      ),
    ],
    ['Next due', due === null ? unplanned(account) : <When instant={due} words={dueWords(due, nowMs)} />],
    [
      'Read with',
      <>
        {readWith(account)}
        {expiresAt !== null && (
          <span class="quiet small"> good until {formatInstant(expiresAt, timezone)}</span>
        )}
      </>,
    ],
  ]
  if (backfilling) rows.push(['Older posts', 'Still being read in'])
  if (account.brandId !== null) rows.push(['Brand', brands.byId.get(account.brandId)?.name ?? 'Another one'])
  rows.push(['Here since', formatInstant(account.createdAt, timezone)])
  return (
    <dl class="facts account-facts">
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function StatusPanel({ account, reload }: { account: Account; reload: () => Promise<void> }) {
  const canWrite = useCanWrite()
  const actions = useAccountActions(reload)
  const leaving = {
    ...actions,
    remove: async (removed: Account) => {
      const done = await actions.remove(removed)
      if (done) navigate('/accounts')
      return done
    },
  }
  return (
    <Panel
      title="Status"
      aside={canWrite && <AccountActionButtons account={account} actions={leaving} reload={reload} />}
    >
      <div class="account-status">
        <StatusBadge account={account} />
        <Explanation account={account} />
        {canWrite && <MendAccess account={account} actions={actions} reload={reload} />}
      </div>
      <Facts account={account} />
    </Panel>
  )
}

function FiguresPanel({ account }: { account: Account }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { platform, metrics, metricsAt, status } = account
  const { caveats } = PLATFORM_FACTS[platform]
  return (
    <Panel
      title="Figures"
      aside={metricsAt !== null && <span class="quiet small">read {formatRelative(metricsAt, nowMs)}</span>}
    >
      <dl class="post-figures account-figures">
        {ACCOUNT_MEASURES.map((measure) => {
          const value = metrics[measure]
          const words =
            value === null ? null : lastKnownWords(account, measure, timezone, status === 'imported')
          return (
            <div key={measure}>
              <dt>{MEASURE_LABELS[measure]}</dt>
              <dd>
                {value === null ? (
                  <span class="figure-unknown">{unknownMeasureWords(measure, platform)}</span>
                ) : (
                  <LiveFigure value={value} of={account.id}>
                    {formatCount(value)}
                  </LiveFigure>
                )}
              </dd>
              {words !== null && <dd class="figure-caveat">{words}.</dd>}
              {caveats[measure] !== undefined && <dd class="figure-caveat">{caveats[measure]}</dd>}
            </div>
          )
        })}
      </dl>
    </Panel>
  )
}

function Shown({ account, reload }: { account: Account; reload: () => Promise<void> }) {
  return (
    <Page
      title={accountName(account)}
      lead={
        <span class="account-lead">
          <Avatar person={account} />
          <span>
            {accountSubtitle(account)}
            {account.displayName?.trim() && <span class="quiet"> on {platformLabel(account.platform)}</span>}
          </span>
        </span>
      }
      actions={
        <>
          <Link class="button" href="/accounts">
            <BackIcon size={16} /> All accounts
          </Link>
          <Link class="button" href={`/posts?accounts=${encodeURIComponent(account.id)}`}>
            <PostsIcon size={16} /> Its posts
          </Link>
          {account.url !== null && (
            <a class="button" href={account.url} target="_blank" rel="noopener noreferrer">
              <ExternalIcon size={16} /> Profile<span class="visually-hidden"> (in a new tab)</span>
            </a>
          )}
        </>
      }
    >
      <div class="columns">
        <StatusPanel account={account} reload={reload} />
        <FiguresPanel account={account} />
      </div>
      <HistoryPanel account={account} />
      <AvailabilityPanel platform={account.platform} />
    </Page>
  )
}

/** One account: how fresh it is, how it grows, and what its platform tells. */
export function AccountPage({ id }: { id: string }) {
  const accounts = useAccounts()
  const listed = accounts.byId.get(id)
  // One that was removed, or beyond the end of a very long list.
  const asked = useResource(
    accounts.data !== undefined && listed === undefined ? `account ${id}` : null,
    (signal) => getAccount(id, signal),
  )
  const account = listed ?? asked.data
  if (account !== undefined)
    return <Shown account={account} reload={listed === undefined ? asked.reload : accounts.reload} />
  const error = accounts.data === undefined ? accounts.error : asked.error
  const reload = accounts.data === undefined ? accounts.reload : asked.reload
  return (
    <Page title="Account">
      <section class="panel">
        {error === undefined ? (
          <Skeleton class="skeleton-block" />
        ) : (
          <ErrorState error={error} retry={error.status === 404 ? undefined : () => void reload()} />
        )}
      </section>
    </Page>
  )
}
