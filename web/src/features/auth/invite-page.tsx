import { useState } from 'preact/hooks'
import type { InvitationPreview, Me } from '../../../../src/http/wire.ts'
import { acceptInvitation, previewInvitation } from '../../api/auth.ts'
import { asApiError, chooseWorkspaceForRequests } from '../../api/http.ts'
import { useDeployment } from '../../state/deployment.ts'
import { useResource } from '../../state/resource.ts'
import { Link } from '../../state/router.tsx'
import { useSession } from '../../state/session.tsx'
import { ErrorState, Skeleton } from '../../ui/states.tsx'
import { AuthFrame } from './auth-frame.tsx'
import { CredentialsForm, type CredentialsMode } from './credentials-form.tsx'
import { FormFailure } from './form-parts.tsx'
import { failureSentence } from './form-words.ts'
import { InvitationFacts } from './invitation-facts.tsx'
import { useLinkToken } from './use-link-token.ts'

const NO_LONGER_GOOD: Record<Exclude<InvitationPreview['state'], 'open'>, string> = {
  accepted: 'This invitation was accepted already, and is good for one person.',
  withdrawn: 'This invitation was withdrawn.',
  expired: 'This invitation has expired.',
}

/** Becomes a member, and goes to the workspace. */
function useAccept(token: string): () => Promise<void> {
  const { chooseWorkspace } = useSession()
  return async () => {
    // The one chosen on this device may be somebody else's.
    chooseWorkspaceForRequests(null)
    const { workspaceId } = await acceptInvitation(token)
    await chooseWorkspace(workspaceId)
  }
}

function isFor(invitation: InvitationPreview, email: string | undefined): boolean {
  return invitation.email === null || invitation.email.toLowerCase() === email?.toLowerCase()
}

interface OpenInvitation {
  invitation: InvitationPreview
  token: string
  /** Asks anew what the link says. */
  reload: () => Promise<void>
}

/** For somebody who is signed in: accepts, or lets them come as somebody else. */
function AcceptAs({ invitation, token, reload, me }: OpenInvitation & { me: Me }) {
  const { leave, refresh } = useSession()
  const accept = useAccept(token)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const attempt = async (run: () => Promise<void>) => {
    if (busy) return
    setBusy(true)
    setFailure(null)
    try {
      await run()
    } catch (error) {
      setFailure(failureSentence(asApiError(error)))
      await Promise.all([refresh(), reload()])
    } finally {
      setBusy(false)
    }
  }
  const fits = isFor(invitation, me.user?.email)
  return (
    <div class="sign-in-form">
      <p class="breaking">
        You are signed in as <strong>{me.user?.name}</strong> ({me.user?.email})
        {fits ? '.' : ', but the invitation is for another address.'}
      </p>
      <FormFailure text={failure} />
      {fits && (
        <button
          type="button"
          class="button button-primary button-wide"
          aria-disabled={busy}
          onClick={() => void attempt(accept)}
        >
          {busy ? 'Joining…' : 'Accept the invitation'}
        </button>
      )}
      <button
        type="button"
        class={`button button-wide ${fits ? '' : 'button-primary'}`}
        onClick={() => void attempt(() => leave({ stay: true }))}
      >
        {fits ? 'Sign out, and come as somebody else' : 'Sign out, and come with that address'}
      </button>
      {!fits && (
        <div class="sign-in-help">
          <p>
            Or <Link href="/">go on as {me.user?.name}</Link>, and ask for an invitation for your own address.
          </p>
        </div>
      )}
    </div>
  )
}

/** For somebody who is not: signs them up or in, and lets them in at once. */
function ComeIn({ invitation, token, reload }: OpenInvitation) {
  const { data: deployment } = useDeployment()
  const { refresh } = useSession()
  const accept = useAccept(token)
  const [chosen, setChosen] = useState<CredentialsMode>('sign-up')
  const canSignUp = deployment?.signup !== 'closed'
  const mode = canSignUp ? chosen : 'sign-in'
  const onDone = async () => {
    try {
      await accept()
    } catch (error) {
      // They are in; what is wrong with the invitation, the page says of whoever they are.
      await Promise.all([refresh(), reload()])
      throw error
    }
  }
  return (
    <>
      <CredentialsForm
        key={mode}
        mode={mode}
        email={invitation.email ?? undefined}
        invitation={token}
        onDone={onDone}
      />
      <div class="sign-in-help">
        {canSignUp && (
          <p>
            {mode === 'sign-up' ? 'Have an account already?' : 'New here?'}{' '}
            <button
              type="button"
              class="link-button"
              onClick={() => setChosen(mode === 'sign-up' ? 'sign-in' : 'sign-up')}
            >
              {mode === 'sign-up' ? 'Sign in' : 'Create account'}
            </button>
          </p>
        )}
        {mode === 'sign-in' && deployment?.mail && (
          <p>
            <Link href="/forgot-password">Forgot your password?</Link>
          </p>
        )}
      </div>
    </>
  )
}

function Invitation({ token }: { token: string }) {
  const { state } = useSession()
  const preview = useResource(`invitation ${token}`, (signal) => previewInvitation(token, signal))
  const invitation = preview.data
  if (preview.error?.status === 404)
    return (
      <AuthFrame
        title="There is no such invitation"
        lead="See that you have opened the whole link, or ask for a new one."
      >
        <Onward />
      </AuthFrame>
    )
  if (invitation === undefined)
    return (
      <AuthFrame title="Your invitation">
        {preview.error === undefined ? (
          <Skeleton class="skeleton-sign-up" />
        ) : (
          <ErrorState error={preview.error} retry={() => void preview.reload()} />
        )}
      </AuthFrame>
    )
  if (invitation.state !== 'open')
    return (
      <AuthFrame
        title="No longer good"
        lead={`${NO_LONGER_GOOD[invitation.state]} Ask ${invitation.invitedBy ?? 'the team'} for a new one.`}
      >
        <Onward />
      </AuthFrame>
    )
  return (
    <AuthFrame title={`Join ${invitation.workspaceName}`}>
      <InvitationFacts invitation={invitation} />
      {state.kind === 'signedIn' ? (
        <AcceptAs invitation={invitation} token={token} reload={preview.reload} me={state.me} />
      ) : (
        <ComeIn invitation={invitation} token={token} reload={preview.reload} />
      )}
    </AuthFrame>
  )
}

function Onward() {
  const { state } = useSession()
  const isSignedIn = state.kind === 'signedIn'
  return (
    <Link class="button button-primary button-wide sign-in-next" href={isSignedIn ? '/' : '/sign-in'}>
      {isSignedIn ? 'Go on to Tidemark' : 'Sign in'}
    </Link>
  )
}

/** Where the link of an invitation leads. */
export function InvitePage() {
  const token = useLinkToken()
  if (token === '')
    return (
      <AuthFrame
        title="This link is not complete"
        lead="Open the whole link from the mail or message it came with."
      >
        <Onward />
      </AuthFrame>
    )
  return <Invitation key={token} token={token} />
}
