import { useEffect, useRef, useState } from 'preact/hooks'
import type { Account } from '../../../../src/http/wire.ts'
import { connectAccount } from '../../api/endpoints.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { type ConnectablePlatform, guessPlatform } from '../../domain/guess-platform.ts'
import { syncedAccountId } from '../../domain/live-events.ts'
import { formatDuration } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useLiveEvents, usePoll } from '../../state/live.tsx'
import { Link } from '../../state/router.tsx'
import { Avatar, accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { CheckIcon, SyncIcon } from '../../ui/icons.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { BrandChoice, chosenBrand } from './brand-choice.tsx'
import { TokenFields, takeToken } from './token-fields.tsx'

/** How often the account is asked for where no event tells that it was read. */
const WITHOUT_EVENTS_MS = 4_000

const PLATFORMS: readonly { platform: ConnectablePlatform; example: string }[] = [
  { platform: 'bluesky', example: 'name.bsky.social' },
  { platform: 'mastodon', example: 'name@mastodon.social' },
]

function PlatformChoice({
  platform,
  onChange,
}: {
  platform: ConnectablePlatform
  onChange: (platform: ConnectablePlatform) => void
}) {
  return (
    <fieldset class="platform-choice">
      <legend>Platform</legend>
      {PLATFORMS.map(({ platform: option, example }) => (
        <label key={option} class="platform-option">
          <input
            type="radio"
            name="platform"
            value={option}
            checked={platform === option}
            onChange={() => onChange(option)}
          />
          <span class="platform-option-card">
            <PlatformBadge platform={option} />
            <span>
              <strong>{platformLabel(option)}</strong>
              <span class="quiet small">{example}</span>
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

/** What went wrong, with what to do about it. */
function ConnectFailure({ error, onClose }: { error: ApiError; onClose: () => void }) {
  if (error.status === 409)
    return (
      <p class="form-error" role="alert">
        {error.message}{' '}
        <Link href="/accounts" onClick={onClose}>
          See your accounts
        </Link>
      </p>
    )
  return (
    <p class="form-error" role="alert">
      {error.message}
      {error.status === 503 &&
        (error.retryAfterSeconds === null
          ? ' Try again in a moment.'
          : ` Try again in ${formatDuration(error.retryAfterSeconds)}.`)}
    </p>
  )
}

function Connected({
  account,
  again,
  onClose,
}: {
  account: Account
  again: () => void
  onClose: () => void
}) {
  const accounts = useAccounts()
  const [reported, setReported] = useState(false)
  const known = accounts.byId.get(account.id) ?? account
  const synced = reported || known.freshness.lastSyncedAt !== null
  usePoll(!synced, accounts.reload, WITHOUT_EVENTS_MS)
  const done = useRef<HTMLButtonElement>(null)
  useEffect(() => done.current?.focus(), [])
  useLiveEvents(['sync.completed'], (event) => {
    if (syncedAccountId(event.data) === account.id) setReported(true)
  })
  const { followers } = account.metrics
  return (
    <div class="connected">
      <div class="connected-account">
        <Avatar person={account} />
        <div>
          <strong>{accountName(account)}</strong>
          <div class="quiet small">{accountSubtitle(account)}</div>
        </div>
        {followers !== null && <span class="connected-followers">{formatCount(followers)} followers</span>}
      </div>
      <p class="connected-state" role="status">
        {synced ? <CheckIcon /> : <span class="spinner" aria-hidden="true" />}
        {synced
          ? 'Its recent posts are in. Older ones follow by themselves.'
          : 'Connected. Its posts are being read and will appear by themselves; you need not wait here.'}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={again}>
          Connect another
        </button>
        <button type="button" class="button button-primary" ref={done} onClick={onClose}>
          Done
        </button>
      </div>
    </div>
  )
}

function ConnectForm({
  onConnected,
  onClose,
}: {
  onConnected: (account: Account) => void
  onClose: () => void
}) {
  const [handle, setHandle] = useState('')
  const [chosen, setChosen] = useState<ConnectablePlatform | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const [isTokenSent, setIsTokenSent] = useState(false)
  const controller = useRef<AbortController | null>(null)
  useEffect(() => () => controller.current?.abort(), [])

  const guessed = guessPlatform(handle)
  const platform = chosen ?? guessed ?? 'bluesky'
  const example = PLATFORMS.find((option) => option.platform === platform)?.example
  // Only what is wrong with the text itself belongs under the field; a conflict names the field as well.
  const handleError =
    error?.status === 400 ? error.fields.find((field) => field.pointer === '/handle')?.detail : undefined

  const tokenError = error?.fields.find(({ pointer }) => pointer === '/credentials/accessToken')?.detail

  const brandError = error?.fields.find(({ pointer }) => pointer === '/brandId')?.detail

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement) || busy || handle.trim() === '') return
    const accessToken = takeToken(form)
    const brandId = chosenBrand(form)
    const account = { platform, handle: handle.trim(), ...(brandId === null ? {} : { brandId }) }
    setIsTokenSent(accessToken !== '')
    setBusy(true)
    setError(null)
    controller.current = new AbortController()
    const { signal } = controller.current
    try {
      const connected = await connectAccount(
        accessToken === '' ? account : { ...account, credentials: { accessToken } },
        signal,
      )
      onConnected(connected)
    } catch (failure) {
      if (!signal.aborted) setError(asApiError(failure))
    } finally {
      if (!signal.aborted) setBusy(false)
    }
  }

  return (
    <form class="connect-form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="Handle or address"
        name="handle"
        type="text"
        maxLength={300}
        placeholder={example}
        autocomplete="off"
        autocapitalize="none"
        autocorrect="off"
        spellcheck={false}
        autoFocus
        value={handle}
        onInput={(event) => {
          setHandle(event.currentTarget.value)
          setError(null)
        }}
        error={handleError}
        hint={
          guessed !== null && guessed === platform
            ? `Looks like ${platformLabel(guessed)}.`
            : 'Any public account: yours, or one you compete with. A pasted profile address will do.'
        }
      />
      <PlatformChoice
        platform={platform}
        onChange={(option) => {
          setChosen(option)
          setError(null)
        }}
      />
      <BrandChoice error={brandError} />
      {platform === 'mastodon' && (
        <details class="token-choice" open={error?.code === 'platform_auth_required' || undefined}>
          <summary>Its server shows posts only to its users?</summary>
          <TokenFields error={tokenError} isSent={isTokenSent && error !== null} />
        </details>
      )}
      <p class="quiet small">
        For other platforms,{' '}
        <Link href="/imports" onClick={onClose}>
          import a file
        </Link>{' '}
        of their posts.
      </p>
      {error !== null &&
        handleError === undefined &&
        tokenError === undefined &&
        brandError === undefined && <ConnectFailure error={error} onClose={onClose} />}
      <FormActions onClose={onClose} ready={!busy && handle.trim() !== ''}>
        {busy && <span class="spinner" aria-hidden="true" />}
        {busy ? (
          `Asking ${platformLabel(platform)}…`
        ) : error?.status === 503 ? (
          <>
            <SyncIcon size={16} /> Try again
          </>
        ) : (
          'Connect'
        )}
      </FormActions>
    </form>
  )
}

/** Connects accounts by their handle, one after the other. */
export function ConnectDialog({ onClose }: { onClose: () => void }) {
  const accounts = useAccounts()
  const [account, setAccount] = useState<Account | null>(null)
  return (
    <Dialog title={account === null ? 'Connect an account' : 'Account connected'} onClose={onClose}>
      {account === null ? (
        <ConnectForm
          onClose={onClose}
          onConnected={(connected) => {
            setAccount(connected)
            void accounts.reload()
          }}
        />
      ) : (
        <Connected account={account} again={() => setAccount(null)} onClose={onClose} />
      )}
    </Dialog>
  )
}
