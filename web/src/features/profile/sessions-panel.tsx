import { useState } from 'preact/hooks'
import {
  endEverySession,
  endOtherSessions,
  endSession,
  type SignedInSession,
  type SignedInSessions,
} from '../../api/auth.ts'
import { asApiError } from '../../api/http.ts'
import { deviceWords } from '../../domain/audit-words.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { useNow } from '../../state/now.ts'
import type { Resource } from '../../state/resource.ts'
import { navigate } from '../../state/router.tsx'
import { useSession, useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Panel } from '../../ui/page.tsx'
import { ErrorState, SkeletonRows } from '../../ui/states.tsx'

function nameOf({ userAgent }: SignedInSession): string {
  return userAgent === null || userAgent === '' ? 'An unknown device' : deviceWords(userAgent)
}

function Row({
  session,
  isCurrent,
  isBusy,
  end,
}: {
  session: SignedInSession
  isCurrent: boolean
  isBusy: boolean
  end: () => void
}) {
  const timezone = useTimezone()
  const nowMs = useNow()
  const name = nameOf(session)
  return (
    <li class="session-row">
      <div class="session-words">
        <p>
          <strong title={session.userAgent ?? undefined}>{name}</strong>{' '}
          {isCurrent && <span class="tag">This one</span>}
        </p>
        <p class="quiet small breaking">
          {session.ipAddress || 'Address not known'} · since{' '}
          <time dateTime={session.createdAt} title={formatInstant(session.createdAt, timezone)}>
            {formatRelative(session.createdAt, nowMs)}
          </time>
        </p>
      </div>
      {!isCurrent && (
        <button
          type="button"
          class="button"
          aria-label={`End the session of ${name}`}
          disabled={isBusy}
          onClick={end}
        >
          End
        </button>
      )}
    </li>
  )
}

/** Where the reader is signed in, and the ways to end that. */
export function SessionsPanel({ list }: { list: Resource<SignedInSessions> }) {
  const { forget } = useSession()
  const toast = useToast()
  const [busyId, setBusyId] = useState<string | null>(null)
  const [asking, setAsking] = useState<'others' | 'all' | null>(null)
  const { data, error, reload } = list
  const others = data?.sessions.filter(({ id }) => id !== data.currentId) ?? []

  const end = async (session: SignedInSession) => {
    setBusyId(session.id)
    try {
      await endSession(session.token)
      await reload()
      toast({ message: `The session of ${nameOf(session)} was ended.` })
    } catch (failure) {
      toast({ message: asApiError(failure).message, tone: 'bad' })
    } finally {
      setBusyId(null)
    }
  }

  return (
    <Panel title="Where you are signed in">
      {data !== undefined && (
        <ul class="session-list">
          {data.sessions.map((session) => (
            <Row
              key={session.id}
              session={session}
              isCurrent={session.id === data.currentId}
              isBusy={busyId !== null}
              end={() => void end(session)}
            />
          ))}
        </ul>
      )}
      {data === undefined && error === undefined && <SkeletonRows count={2} />}
      {error !== undefined && <ErrorState error={error} retry={() => void reload()} />}
      <div class="profile-actions">
        {others.length > 0 && (
          <button type="button" class="button" onClick={() => setAsking('others')}>
            Sign out everywhere else…
          </button>
        )}
        <button type="button" class="button button-danger" onClick={() => setAsking('all')}>
          Sign out everywhere…
        </button>
      </div>
      {asking === 'others' && (
        <ConfirmDialog
          title="Sign out everywhere else?"
          action="Sign out the others"
          onClose={() => setAsking(null)}
          run={async () => {
            await endOtherSessions()
            setAsking(null)
            await reload()
            toast({ message: 'Every other session was ended.' })
          }}
        >
          <p>Other browsers and devices have to sign in again, within seconds. This one stays signed in.</p>
        </ConfirmDialog>
      )}
      {asking === 'all' && (
        <ConfirmDialog
          title="Sign out everywhere?"
          action="Sign out everywhere"
          onClose={() => setAsking(null)}
          run={async () => {
            await endEverySession()
            forget()
            navigate('/sign-in')
          }}
        >
          <p>
            Every browser and device has to sign in again, this one included. API keys go on working; they are
            revoked in the settings.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
