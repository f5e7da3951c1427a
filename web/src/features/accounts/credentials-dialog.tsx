import { useState } from 'preact/hooks'
import { PLATFORM_FACTS } from '../../../../src/domain/platforms.ts'
import type { Account } from '../../../../src/http/wire.ts'
import { removeCredentials, storeCredentials } from '../../api/endpoints.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { formatInstant } from '../../format/dates.ts'
import { useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { accountName } from '../../ui/avatar.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { KeyIcon } from '../../ui/icons.tsx'
import { Banner } from '../../ui/states.tsx'
import { TokenFields, takeToken } from './token-fields.tsx'

/** Whether an account can be read with a token at all. */
export function takesToken({ platform, status }: Account): boolean {
  return PLATFORM_FACTS[platform].takesToken === true && status !== 'imported' && status !== 'deleted'
}

/** Gives an account another token, or takes its token away. */
function CredentialsDialog({
  account,
  onChanged,
  onClose,
}: {
  account: Account
  onChanged: () => Promise<void>
  onClose: () => void
}) {
  const toast = useToast()
  const timezone = useTimezone()
  const [busy, setBusy] = useState<'store' | 'remove' | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [isSent, setIsSent] = useState(false)
  const [isMissing, setIsMissing] = useState(false)
  const { credentials } = account
  const name = accountName(account)
  const tokenError = isMissing
    ? 'Paste a token.'
    : error?.fields.find(({ pointer }) => pointer === '/accessToken')?.detail

  const attempt = async (what: 'store' | 'remove', run: () => Promise<unknown>, message: string) => {
    setBusy(what)
    setError(null)
    setIsMissing(false)
    try {
      await run()
      toast({ message })
      onClose()
      await onChanged()
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(null)
    }
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement) || busy !== null) return
    const accessToken = takeToken(form)
    setIsMissing(accessToken === '')
    if (accessToken === '') return
    setIsSent(true)
    void attempt(
      'store',
      () => storeCredentials(account.id, accessToken),
      `${name} is read with the new token.`,
    )
  }

  return (
    <Dialog title={`Access token of ${name}`} onClose={onClose}>
      <form class="stacked-form" noValidate onSubmit={submit}>
        {account.status === 'needs_auth' && (
          <Banner tone="warning">
            {account.statusReason ?? 'Its server no longer lets us read it.'} With a new token it is read
            again.
          </Banner>
        )}
        {credentials !== null && (
          <p>
            It is read with a token that was stored on{' '}
            <time dateTime={credentials.updatedAt}>{formatInstant(credentials.updatedAt, timezone)}</time>
            {credentials.expiresAt !== null &&
              ` and expires on ${formatInstant(credentials.expiresAt, timezone)}`}
            . Another one takes its place.
          </p>
        )}
        <TokenFields error={tokenError} isSent={isSent} autoFocus />
        {error !== null && tokenError === undefined && (
          <p class="form-error" role="alert">
            {error.message}
          </p>
        )}
        <div class="dialog-actions">
          {credentials !== null && (
            <button
              type="button"
              class="button button-danger dialog-aside"
              aria-disabled={busy !== null}
              onClick={() => {
                if (busy === null)
                  void attempt(
                    'remove',
                    () => removeCredentials(account.id),
                    `The token of ${name} was removed; it is read as anybody may.`,
                  )
              }}
            >
              {busy === 'remove' ? 'Removing…' : 'Remove the token'}
            </button>
          )}
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" aria-disabled={busy !== null}>
            {busy === 'store' && <span class="spinner" aria-hidden="true" />}
            {busy === 'store' ? 'Asking the server…' : 'Store'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface CredentialsProps {
  account: Account
  reload: () => Promise<void>
}

/** Among an account's actions: its token, where it can have one. */
export function CredentialsButton({ account, reload }: CredentialsProps) {
  const [open, setOpen] = useState(false)
  if (!takesToken(account)) return null
  return (
    <>
      <button
        type="button"
        class="icon-button"
        title="Access token"
        aria-label={`Access token of ${accountName(account)}`}
        onClick={() => setOpen(true)}
      >
        <KeyIcon size={18} />
      </button>
      {open && <CredentialsDialog account={account} onChanged={reload} onClose={() => setOpen(false)} />}
    </>
  )
}

/** Beside the state of an account that its server refuses: the way to mend it. */
export function RenewToken({ account, reload }: CredentialsProps) {
  const [open, setOpen] = useState(false)
  if (account.status !== 'needs_auth' || !takesToken(account)) return null
  return (
    <>
      <button type="button" class="link-button" onClick={() => setOpen(true)}>
        {account.credentials === null ? 'Give an access token' : 'Renew the token'}
        <span class="visually-hidden"> of {accountName(account)}</span>
      </button>
      {open && <CredentialsDialog account={account} onChanged={reload} onClose={() => setOpen(false)} />}
    </>
  )
}
