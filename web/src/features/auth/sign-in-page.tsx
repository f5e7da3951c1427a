import { useEffect } from 'preact/hooks'
import type { Deployment } from '../../api/auth.ts'
import { useDeployment } from '../../state/deployment.ts'
import { Link, navigate } from '../../state/router.tsx'
import { useSession } from '../../state/session.tsx'
import { Banner, Skeleton } from '../../ui/states.tsx'
import { AuthFrame } from './auth-frame.tsx'
import { CredentialsForm, type CredentialsMode } from './credentials-form.tsx'

const WITHOUT_SIGN_UP: Record<Exclude<Deployment['signup'], 'open'>, string> = {
  invite: 'Ask somebody of your team for an invitation, and follow its link.',
  closed: 'Ask whoever runs this deployment for an account.',
}

/** How to get in for those who have no account, or have forgotten their password. */
function SignInHelp({ deployment }: { deployment: Deployment }) {
  return (
    <>
      <p>
        {deployment.mail ? (
          <Link href="/forgot-password">Forgot your password?</Link>
        ) : (
          'Forgot your password? Ask whoever runs this deployment: it cannot send mail.'
        )}
      </p>
      <p>
        New here?{' '}
        {deployment.signup === 'open' ? (
          <Link href={`/sign-up${window.location.search}`}>Create account</Link>
        ) : (
          WITHOUT_SIGN_UP[deployment.signup]
        )}
      </p>
    </>
  )
}

const HaveAccount = () => (
  <p>
    Have an account already? <Link href={`/sign-in${window.location.search}`}>Sign in</Link>
  </p>
)

/** The way in, and the first thing anybody sees. */
export function SignInPage({ mode }: { mode: CredentialsMode }) {
  const { refresh } = useSession()
  const { data: deployment, error } = useDeployment()
  const isFirst = deployment?.claimed === false
  // Nobody could sign in.
  useEffect(() => {
    if (isFirst && mode === 'sign-in') navigate(`/sign-up${window.location.search}`, { replace: true })
  }, [isFirst, mode])

  if (mode === 'sign-in')
    return (
      <AuthFrame title="Welcome back" lead="Sign in to see where the water stands.">
        <CredentialsForm mode="sign-in" onDone={refresh} />
        <div class="sign-in-help">{deployment !== undefined && <SignInHelp deployment={deployment} />}</div>
      </AuthFrame>
    )
  if (deployment !== undefined && deployment.signup !== 'open' && !isFirst)
    return (
      <AuthFrame
        title={deployment.signup === 'invite' ? 'Sign-up is by invitation' : 'Sign-up is closed'}
        lead={WITHOUT_SIGN_UP[deployment.signup]}
      >
        <div class="sign-in-help">
          <HaveAccount />
        </div>
      </AuthFrame>
    )
  return (
    <AuthFrame
      title="Create your account"
      lead={isFirst ? undefined : 'It takes a minute; then connect the first account.'}
    >
      {isFirst && (
        <div class="sign-in-notice">
          <Banner tone="info">
            You are the first: you will run this deployment. Others come by your invitation.
          </Banner>
        </div>
      )}
      {deployment === undefined && error === undefined ? (
        <Skeleton class="skeleton-sign-up" />
      ) : (
        <CredentialsForm mode="sign-up" onDone={refresh} />
      )}
      <div class="sign-in-help">{!isFirst && <HaveAccount />}</div>
    </AuthFrame>
  )
}
