import { useEffect, useRef, useState } from 'preact/hooks'
import { PLATFORMS, type Platform } from '../../../../src/domain/platforms.ts'
import type { Account } from '../../../../src/http/wire.ts'
import { connectAccount } from '../../api/endpoints.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { connectNotes, HANDLE_EXAMPLES, isBySigningIn } from '../../domain/connecting.ts'
import { misplacedOn, recognisePlatform } from '../../domain/recognise-platform.ts'
import { Link } from '../../state/router.tsx'
import { useMe } from '../../state/session.tsx'
import { Field } from '../../ui/field.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { ExternalIcon, SyncIcon } from '../../ui/icons.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { BrandChoice, chosenBrand } from './brand-choice.tsx'
import { ConnectFailure } from './connect-failure.tsx'
import { PlatformChoice } from './platform-choice.tsx'
import { TokenFields, takeToken } from './token-fields.tsx'
import { useSignInThere } from './use-sign-in-there.ts'

/** What stands below the field: what was understood of what is in it. */
function HandleHint({
  handle,
  platform,
  choose,
}: {
  handle: string
  platform: Platform
  choose: (platform: Platform) => void
}) {
  const misplaced = misplacedOn(handle, platform)
  if (misplaced !== null)
    return (
      <span class="misplaced" role="status">
        This looks like {platformLabel(misplaced)}, not {platformLabel(platform)}.{' '}
        <button type="button" class="link-button" onClick={() => choose(misplaced)}>
          Choose {platformLabel(misplaced)}
        </button>
      </span>
    )
  if (isBySigningIn(platform))
    return <>Not needed for {platformLabel(platform)}: you choose among your accounts there.</>
  if (recognisePlatform(handle)?.platform === platform) return <>Looks like {platformLabel(platform)}.</>
  return <>Any public account: yours, or one you compete with. A pasted profile address will do.</>
}

function SubmitWords({ platform, busy, failed }: { platform: Platform; busy: boolean; failed: boolean }) {
  const label = platformLabel(platform)
  if (busy)
    return (
      <>
        <span class="spinner" aria-hidden="true" />
        {isBySigningIn(platform) ? `Going to ${label}…` : `Asking ${label}…`}
      </>
    )
  if (isBySigningIn(platform))
    return (
      <>
        Continue at {label} <ExternalIcon size={16} />
      </>
    )
  if (failed)
    return (
      <>
        <SyncIcon size={16} /> Try again
      </>
    )
  return <>Connect</>
}

/** A handle or address and its platform, or a platform where people sign in themselves. */
export function ConnectForm({
  onConnected,
  onClose,
}: {
  onConnected: (account: Account) => void
  onClose: () => void
}) {
  const [handle, setHandle] = useState('')
  const [chosen, setChosen] = useState<Platform | null>(null)
  const [asking, setAsking] = useState(false)
  const [failure, setFailure] = useState<ApiError | null>(null)
  const { connectable } = useMe()
  const unsupported = new Set(PLATFORMS.filter((one) => !connectable.includes(one)))
  const [isTokenSent, setIsTokenSent] = useState(false)
  const signInThere = useSignInThere()
  const controller = useRef<AbortController | null>(null)
  useEffect(() => () => controller.current?.abort(), [])

  const platform = chosen ?? recognisePlatform(handle)?.platform ?? 'bluesky'
  const bySigningIn = isBySigningIn(platform)
  const busy = asking || signInThere.going
  const error = bySigningIn ? signInThere.error : failure
  const ready = !busy && (bySigningIn || handle.trim() !== '')
  const wrongWith = (pointer: string) => error?.fields.find((field) => field.pointer === pointer)?.detail
  // Only what is wrong with the text itself belongs under the field; a conflict names the field as well.
  const handleError = error?.status === 400 ? wrongWith('/handle') : undefined
  const tokenError = wrongWith('/credentials/accessToken')
  const brandError = wrongWith('/brandId')

  const choose = (option: Platform) => {
    setChosen(option)
    setFailure(null)
    signInThere.forgetError()
  }

  const connect = async (form: HTMLFormElement, brandId: string | null) => {
    const accessToken = takeToken(form)
    const account = { platform, handle: handle.trim(), ...(brandId === null ? {} : { brandId }) }
    setIsTokenSent(accessToken !== '')
    setAsking(true)
    setFailure(null)
    controller.current = new AbortController()
    const { signal } = controller.current
    try {
      const connected = await connectAccount(
        accessToken === '' ? account : { ...account, credentials: { accessToken } },
        signal,
      )
      onConnected(connected)
    } catch (failed) {
      if (!signal.aborted) setFailure(asApiError(failed))
    } finally {
      if (!signal.aborted) setAsking(false)
    }
  }

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement) || !ready) return
    const brandId = chosenBrand(form)
    if (bySigningIn) await signInThere.go(platform, brandId === null ? {} : { brandId })
    else await connect(form, brandId)
  }

  const notes = connectNotes(platform)
  return (
    <form class="connect-form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="Handle or address"
        name="handle"
        type="text"
        maxLength={300}
        placeholder={HANDLE_EXAMPLES[platform]}
        autocomplete="off"
        autocapitalize="none"
        autocorrect="off"
        spellcheck={false}
        autoFocus
        value={handle}
        onInput={(event) => {
          setHandle(event.currentTarget.value)
          setFailure(null)
        }}
        error={handleError}
        hint={<HandleHint handle={handle} platform={platform} choose={choose} />}
      />
      <PlatformChoice platform={platform} unsupported={unsupported} onChange={choose} />
      {notes.length > 0 && (
        <ul class="connect-notes">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <BrandChoice error={brandError} />
      {platform === 'mastodon' && (
        <details class="token-choice" open={error?.code === 'platform_auth_required' || undefined}>
          <summary>Its server shows posts only to its users?</summary>
          <TokenFields error={tokenError} isSent={isTokenSent && error !== null} />
        </details>
      )}
      <p class="quiet small">
        An account that cannot be connected?{' '}
        <Link href="/imports" onClick={onClose}>
          Import a file
        </Link>{' '}
        of its posts.
      </p>
      {error !== null &&
        handleError === undefined &&
        tokenError === undefined &&
        brandError === undefined && <ConnectFailure error={error} onClose={onClose} />}
      <FormActions onClose={onClose} ready={ready}>
        <SubmitWords platform={platform} busy={busy} failed={error?.status === 503} />
      </FormActions>
    </form>
  )
}
