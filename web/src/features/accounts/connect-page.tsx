import { useState } from 'preact/hooks'
import type { Account, Authorization } from '../../../../src/http/wire.ts'
import { connectGranted, getAuthorization } from '../../api/endpoints.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { firstChoice } from '../../domain/connecting.ts'
import { formatRelative } from '../../format/dates.ts'
import { plural } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { recallBegun } from '../../state/begun-authorization.ts'
import { usePoll } from '../../state/live.tsx'
import { useNow } from '../../state/now.ts'
import { type Resource, useResource } from '../../state/resource.ts'
import { Link, navigate, useLocation } from '../../state/router.tsx'
import { useCanWrite } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { accountName } from '../../ui/avatar.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'
import { AccountsIcon, CheckIcon, WarningIcon } from '../../ui/icons.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { ConnectFailure } from './connect-failure.tsx'
import { ConnectButton } from './connect-provider.tsx'
import { GrantedList, MOST_AT_ONCE } from './granted-list.tsx'
import { useSignInThere } from './use-sign-in-there.ts'

/** While somebody is on their way back, and while they choose, which they may only for a time. */
const PENDING_POLL_MS = 3_000
const CHOOSING_POLL_MS = 30_000

function ToAccounts() {
  return (
    <Link class="button" href="/accounts">
      Go to the accounts
    </Link>
  )
}

/** What was connected, as a sentence. */
function connectedWords(items: readonly Account[], granted: Authorization['accounts']): string {
  const wasNew = items.filter(({ id }) => granted.every((one) => one.connectedAccountId !== id))
  const [only] = items
  if (items.length === 1 && only !== undefined)
    return wasNew.length === 1 ? `${accountName(only)} is connected.` : `${accountName(only)} is read again.`
  return wasNew.length === items.length
    ? `${plural(items.length, 'account')} are connected.`
    : `${plural(items.length, 'account')} are read by what you agreed to.`
}

/** Which of the accounts that somebody let us read are connected. */
function Choose({ authorization, reload }: { authorization: Authorization; reload: () => Promise<void> }) {
  const accounts = useAccounts()
  const toast = useToast()
  const nowMs = useNow()
  const [chosen, setChosen] = useState<readonly string[] | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const { id, platform, accounts: granted, expiresAt } = authorization
  // What waits for access is known only once the accounts are there.
  const current = chosen ?? firstChoice(granted, accounts.byId)
  const ready = !busy && current.length > 0 && current.length <= MOST_AT_ONCE

  const submit = async (event: Event) => {
    event.preventDefault()
    if (!ready) return
    setChosen(current)
    setBusy(true)
    setError(null)
    try {
      const items = await connectGranted(id, current)
      toast({ message: connectedWords(items, granted) })
      await accounts.reload()
      navigate('/accounts', { replace: true })
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
      // It may have been used elsewhere, or be too old by now.
      await reload()
    }
  }

  return (
    <Panel
      title={`Accounts at ${platformLabel(platform)}`}
      aside={<span class="quiet small">Expires {formatRelative(expiresAt, nowMs)}</span>}
    >
      <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
        <GrantedList platform={platform} granted={granted} chosen={current} onChange={setChosen} />
        <FormProblem error={error} />
        <p class="visually-hidden" role="status">
          {busy ? 'Connecting' : ''}
        </p>
        <div class="dialog-actions">
          <Link class="button" href="/accounts">
            Connect none
          </Link>
          <button type="submit" class="button button-primary" aria-disabled={!ready}>
            {busy && <span class="spinner" aria-hidden="true" />}
            {busy
              ? 'Connecting…'
              : current.length === 0
                ? 'Connect'
                : `Connect ${plural(current.length, 'account')}`}
          </button>
        </div>
      </form>
    </Panel>
  )
}

const ENDINGS: Record<'refused' | 'failed' | 'expired', string> = {
  refused: 'You did not agree',
  failed: 'It did not work',
  expired: 'It took too long',
}

/** Why there is nothing to connect, and the way to begin again. */
function NothingGranted({
  authorization: { id, platform, reason },
  ending,
}: {
  authorization: Authorization
  ending: keyof typeof ENDINGS
}) {
  const { going, error, go } = useSignInThere()
  return (
    <section class="panel">
      <EmptyState icon={<WarningIcon size={28} />} title={ENDINGS[ending]}>
        {reason !== null && <p>{reason}</p>}
        {error !== null && <ConnectFailure error={error} onClose={() => undefined} />}
        <div class="welcome-actions">
          <button
            type="button"
            class="button button-primary"
            aria-disabled={going}
            onClick={() => {
              if (!going) void go(platform, recallBegun(id))
            }}
          >
            {going && <span class="spinner" aria-hidden="true" />}
            {going ? `Going to ${platformLabel(platform)}…` : 'Try again'}
          </button>
          <ToAccounts />
        </div>
      </EmptyState>
    </section>
  )
}

function Outcome({ authorization, reload }: { authorization: Authorization; reload: () => Promise<void> }) {
  const { status, platform } = authorization
  switch (status) {
    case 'granted':
      return <Choose authorization={authorization} reload={reload} />
    case 'pending':
      return (
        <section class="panel">
          <EmptyState
            icon={<span class="spinner" aria-hidden="true" />}
            title={`Waiting for ${platformLabel(platform)}`}
          >
            <p class="quiet">Sign in and agree there; the accounts to choose from appear here.</p>
          </EmptyState>
        </section>
      )
    case 'used':
      return (
        <section class="panel">
          <EmptyState icon={<CheckIcon size={28} />} title="What you chose is connected.">
            <ToAccounts />
          </EmptyState>
        </section>
      )
    default:
      return <NothingGranted authorization={authorization} ending={status} />
  }
}

function Unreadable({ authorization }: { authorization: Resource<Authorization> }) {
  const { error, reload } = authorization
  return (
    <section class="panel">
      {error === undefined ? (
        <SkeletonRows count={3} class="skeleton-account" />
      ) : error.status === 404 || error.status === 400 ? (
        <EmptyState icon={<WarningIcon size={28} />} title="There is nothing to connect here.">
          <p>It was begun by somebody else, or in another workspace.</p>
          <ToAccounts />
        </EmptyState>
      ) : (
        <ErrorState error={error} retry={() => void reload()} />
      )}
    </section>
  )
}

function CameBack({ id }: { id: string }) {
  const authorization = useResource(`authorization ${id}`, (signal) => getAuthorization(id, signal))
  const { data, reload } = authorization
  const isPending = data?.status === 'pending'
  usePoll(isPending || data?.status === 'granted', reload, isPending ? PENDING_POLL_MS : CHOOSING_POLL_MS)
  return (
    <Page
      title="Connect accounts"
      lead={data?.status === 'granted' ? `You are back from ${platformLabel(data.platform)}.` : undefined}
    >
      {data === undefined ? (
        <Unreadable authorization={authorization} />
      ) : (
        <Outcome authorization={data} reload={reload} />
      )}
    </Page>
  )
}

/** Where people arrive who signed in at a platform; without that, where they begin. */
export function ConnectPage() {
  const { search } = useLocation()
  const canWrite = useCanWrite()
  const id = search.get('authorization')
  if (canWrite && id !== null && id !== '') return <CameBack key={id} id={id} />
  return (
    <Page title="Connect accounts">
      <section class="panel">
        <EmptyState
          icon={<AccountsIcon size={28} />}
          title={
            canWrite ? 'Connect accounts to measure them' : 'Your role does not allow connecting accounts.'
          }
        >
          {canWrite ? <ConnectButton /> : <ToAccounts />}
        </EmptyState>
      </section>
    </Page>
  )
}
