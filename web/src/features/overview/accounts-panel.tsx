import type { Overview } from '../../../../src/http/wire.ts'
import { unknownMeasureWords } from '../../domain/unknown-metric.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { Link } from '../../state/router.tsx'
import { Avatar, accountHref, accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { ChangeBadge, LiveFigure, Unknown } from '../../ui/figures.tsx'
import { Explanation, Freshness, StatusBadge } from '../../ui/freshness.tsx'
import { Panel } from '../../ui/page.tsx'
import { EmptyState, SkeletonRows } from '../../ui/states.tsx'

const SHOWN = 8

type Entry = Overview['accounts'][number]

function AccountRow({ entry, against }: { entry: Entry; against: string | null }) {
  const account = useAccounts().byId.get(entry.id)
  const { value, change } = entry.totals.followers
  return (
    <li class="account-row">
      <Avatar person={entry} />
      <div class="account-words">
        <Link class="account-name ellipsis" href={accountHref(entry.id)}>
          {accountName(entry)}
        </Link>
        <span class="quiet small ellipsis">{accountSubtitle(entry)}</span>
      </div>
      <div class="account-state">
        {account && (
          <>
            <StatusBadge account={account} />
            <Freshness account={account} />
          </>
        )}
      </div>
      <div class="account-figure">
        {value === null ? (
          <Unknown words={unknownMeasureWords('followers', entry.platform)} />
        ) : (
          <LiveFigure value={value} of={entry.id}>
            {formatCount(value)}
          </LiveFigure>
        )}
        <span class="account-figure-note">
          <span class="quiet small">followers</span>
          {against !== null && value !== null && <ChangeBadge change={change} against={against} />}
        </span>
      </div>
      {account?.freshness.stale && (
        <div class="account-why">
          <Explanation account={account} />
        </div>
      )}
    </li>
  )
}

/** The accounts behind the figures: how fresh they are, and how they grow. */
export function AccountsPanel({
  overview,
  against,
  busy,
}: {
  overview: Overview | undefined
  against: string
  busy: boolean
}) {
  const entries = [...(overview?.accounts ?? [])].sort(
    (a, b) => (b.totals.engagements.value ?? -1) - (a.totals.engagements.value ?? -1),
  )
  const more = entries.length - SHOWN
  return (
    <Panel
      class="accounts"
      title="Accounts"
      aside={
        <Link class="panel-link" href="/accounts">
          {more > 0 ? `All ${formatCount(entries.length)} accounts` : 'Manage accounts'}
        </Link>
      }
      busy={busy}
    >
      {overview === undefined ? (
        <SkeletonRows count={4} class="skeleton-account" />
      ) : entries.length === 0 ? (
        <EmptyState title="No accounts match these filters." />
      ) : (
        <ul class="account-list">
          {entries.slice(0, SHOWN).map((entry) => (
            <AccountRow
              key={entry.id}
              entry={entry}
              against={overview.comparison === null ? null : against}
            />
          ))}
        </ul>
      )}
    </Panel>
  )
}
