import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useState } from 'preact/hooks'
import type { Me } from '../../../src/http/wire.ts'
import { mayHaveSession, signOut } from '../api/auth.ts'
import { getMe } from '../api/endpoints.ts'
import { ApiError, asApiError, chooseWorkspaceForRequests, onUnauthorized } from '../api/http.ts'
import { forgetResources } from './resource.ts'
import { isOpenPath, isSignInPath, safeReturnPath, signInPath } from './return-path.ts'
import { navigate } from './router.tsx'
import { readStored, writeStored } from './storage.ts'

export type SessionState =
  | { kind: 'loading' }
  | { kind: 'signedOut' }
  | { kind: 'failed'; error: ApiError }
  | { kind: 'signedIn'; me: Me }

export interface Session {
  state: SessionState
  /** Asks anew who is signed in; after signing in, and when the workspace's name or timezone changed. */
  refresh: () => Promise<void>
  /** Signs out, and goes to the sign-in page unless asked to stay. */
  leave: (options?: { stay?: boolean }) => Promise<void>
  /** The session was ended: forgets who was signed in here. */
  forget: () => void
  chooseWorkspace: (id: string) => Promise<void>
}

const SessionContext = createContext<Session | null>(null)

async function loadMe(): Promise<Me> {
  chooseWorkspaceForRequests(readStored('workspace'))
  try {
    return await getMe()
  } catch (error) {
    // The workspace chosen on this device is gone, or belongs to somebody who signed in before.
    const lostWorkspace = error instanceof ApiError && (error.status === 404 || error.status === 403)
    if (!lostWorkspace || readStored('workspace') === null) throw error
    writeStored('workspace', null)
    chooseWorkspaceForRequests(null)
    return await getMe()
  }
}

export function SessionProvider({ children }: { children: ComponentChildren }) {
  const [state, setState] = useState<SessionState>({ kind: 'loading' })

  const refresh = useCallback(async () => {
    try {
      setState({ kind: 'signedIn', me: await loadMe() })
      writeStored('signedIn', 'yes')
    } catch (error) {
      const failure = asApiError(error)
      if (failure.status === 401) setState({ kind: 'signedOut' })
      else setState({ kind: 'failed', error: failure })
    }
  }, [])

  useEffect(() => {
    const begin = async () => {
      if (readStored('signedIn') !== null || (await mayHaveSession())) await refresh()
      else setState({ kind: 'signedOut' })
    }
    const stop = onUnauthorized(() => {
      forgetResources()
      writeStored('signedIn', null)
      setState({ kind: 'signedOut' })
      if (!isOpenPath(window.location.pathname))
        navigate(signInPath(window.location.pathname + window.location.search), { replace: true })
    })
    void begin()
    return stop
  }, [refresh])

  // Signed in while on the sign-in page: on to where the reader wanted to go.
  const signedIn = state.kind === 'signedIn'
  useEffect(() => {
    if (signedIn && isSignInPath(window.location.pathname))
      navigate(safeReturnPath(new URLSearchParams(window.location.search).get('next')), { replace: true })
  }, [signedIn])

  const forget = useCallback(() => {
    forgetResources()
    writeStored('workspace', null)
    writeStored('signedIn', null)
    chooseWorkspaceForRequests(null)
    setState({ kind: 'signedOut' })
  }, [])

  const leave = useCallback(
    async ({ stay = false } = {}) => {
      await signOut()
      forget()
      if (!stay) navigate('/sign-in')
    },
    [forget],
  )

  const chooseWorkspace = useCallback(
    async (id: string) => {
      writeStored('workspace', id)
      forgetResources()
      setState({ kind: 'loading' })
      navigate('/')
      await refresh()
    },
    [refresh],
  )

  return (
    <SessionContext.Provider value={{ state, refresh, leave, forget, chooseWorkspace }}>
      {children}
    </SessionContext.Provider>
  )
}

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('useSession needs a SessionProvider above it.')
  return session
}

/** Who is signed in. Only for what is shown to somebody who is. */
export function useMe(): Me {
  const { state } = useSession()
  if (state.kind !== 'signedIn') throw new Error('useMe is for pages behind the sign-in.')
  return state.me
}

/** The workspace's timezone. */
export function useTimezone(): string {
  return useMe().workspace.timezone
}

/** Whether this person may connect, sync and import here. */
export function useCanWrite(): boolean {
  return useMe().scopes.includes('write')
}
