import { useState } from 'preact/hooks'
import { useDeployment } from '../../state/deployment.ts'
import { useLocation } from '../../state/router.tsx'
import { useMe } from '../../state/session.tsx'
import { CrossIcon } from '../../ui/icons.tsx'
import { useSendVerification } from './use-send-verification.ts'

function Notice({ email, onClose }: { email: string; onClose: () => void }) {
  const { busy, send } = useSendVerification(email)
  return (
    <aside class="verify-banner" aria-label="E-mail address">
      <p>
        Please confirm that <strong class="breaking">{email}</strong> is yours: follow the link that was sent
        there.{' '}
        <button type="button" class="link-button" aria-disabled={busy} onClick={() => void send()}>
          Send it again
        </button>
      </p>
      <button type="button" class="icon-button" aria-label="Not now" onClick={onClose}>
        <CrossIcon />
      </button>
    </aside>
  )
}

/** Asks for an address to be confirmed, until it is or the page is closed; where mail can be sent. */
export function VerifyEmailBanner() {
  const { user } = useMe()
  const { path } = useLocation()
  const { data: deployment } = useDeployment()
  const [closed, setClosed] = useState(false)
  // The profile says so itself.
  if (user === null || user.emailVerified || closed || path === '/profile' || !deployment?.mail) return null
  return <Notice email={user.email} onClose={() => setClosed(true)} />
}
