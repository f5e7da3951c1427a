import { useCallback, useEffect, useState } from 'preact/hooks'
import { verifyEmail } from '../../api/auth.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { Link } from '../../state/router.tsx'
import { useSession } from '../../state/session.tsx'
import { ErrorState } from '../../ui/states.tsx'
import { AuthFrame } from './auth-frame.tsx'
import { CredentialsForm } from './credentials-form.tsx'
import { useLinkToken } from './use-link-token.ts'

type Outcome = { kind: 'asking' } | { kind: 'confirmed' } | { kind: 'failed'; error: ApiError }

/** Confirms an address by the link of a mail. */
export function VerifyEmailPage() {
  const token = useLinkToken()
  const { state, refresh } = useSession()
  const [outcome, setOutcome] = useState<Outcome>({ kind: 'asking' })
  const isSignedIn = state.kind === 'signedIn'

  const confirm = useCallback(async () => {
    setOutcome({ kind: 'asking' })
    try {
      await verifyEmail(token)
      setOutcome({ kind: 'confirmed' })
    } catch (error) {
      setOutcome({ kind: 'failed', error: asApiError(error) })
    }
  }, [token])
  useEffect(() => {
    if (token !== '') void confirm()
  }, [token, confirm])
  // What is known of the reader says that the address is yet to be confirmed.
  const isNews = outcome.kind === 'confirmed' && isSignedIn && state.me.user?.emailVerified === false
  useEffect(() => {
    if (isNews) void refresh()
  }, [isNews, refresh])

  const onward = (
    <Link class="button button-primary button-wide sign-in-next" href={isSignedIn ? '/' : '/sign-in'}>
      {isSignedIn ? 'Go on to Tidemark' : 'Sign in'}
    </Link>
  )
  if (outcome.kind === 'confirmed')
    return (
      <AuthFrame title="Your e-mail address is confirmed" lead="Thank you. There is nothing else to do.">
        {onward}
      </AuthFrame>
    )
  if (token === '' || (outcome.kind === 'failed' && outcome.error.code === 'gone'))
    return (
      <AuthFrame
        title="This link is no longer good"
        lead={
          token === ''
            ? 'It is not complete. Open it once more from the mail.'
            : 'It is older than a day, or not complete. Sign in, and have another one sent from your profile.'
        }
      >
        <Link class="button button-primary button-wide sign-in-next" href="/profile">
          Go to your profile
        </Link>
      </AuthFrame>
    )
  if (outcome.kind === 'failed' && outcome.error.status === 401)
    return (
      <AuthFrame
        title="Sign in to confirm"
        lead="This address can be confirmed only by whoever is signed in with it."
      >
        <CredentialsForm
          mode="sign-in"
          onDone={async () => {
            await refresh()
            await confirm()
          }}
        />
      </AuthFrame>
    )
  return (
    <AuthFrame title="Confirming your e-mail address">
      {outcome.kind === 'failed' ? (
        <ErrorState error={outcome.error} retry={() => void confirm()} />
      ) : (
        <p class="quiet sign-in-words" role="status">
          One moment…
        </p>
      )}
    </AuthFrame>
  )
}
