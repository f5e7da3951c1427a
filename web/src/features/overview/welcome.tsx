import { Link } from '../../state/router.tsx'
import { useCanWrite } from '../../state/session.tsx'
import { ImportIcon, PlusIcon } from '../../ui/icons.tsx'
import { useConnect } from '../accounts/connect-provider.tsx'

/** What a workspace without accounts shows: the two ways to begin. */
export function Welcome() {
  const connect = useConnect()
  const canWrite = useCanWrite()
  return (
    <section class="panel welcome">
      <svg class="welcome-tide" viewBox="0 0 400 90" preserveAspectRatio="none" aria-hidden="true">
        <path class="welcome-mark" d="M0 22h400" stroke-dasharray="10 14" />
        <path d="M0 58c33 0 33-14 67-14s33 14 66 14 34-14 67-14 33 14 67 14 33-14 66-14 34 14 67 14v46H0Z" />
      </svg>
      <h2>Nothing is measured yet</h2>
      {canWrite ? (
        <>
          <p>
            Connect the accounts that you run, and public ones that you compete with. Their posts and
            engagement are read at once, and from then on by themselves.
          </p>
          <div class="welcome-actions">
            <button type="button" class="button button-primary" onClick={connect}>
              <PlusIcon size={18} /> Connect an account
            </button>
            <Link class="button" href="/imports">
              <ImportIcon size={18} /> Import a file
            </Link>
          </div>
        </>
      ) : (
        <p>Somebody who may change this workspace has to connect the first account.</p>
      )}
    </section>
  )
}
