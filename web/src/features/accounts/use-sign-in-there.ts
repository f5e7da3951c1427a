import { useEffect, useState } from 'preact/hooks'
import type { Platform } from '../../../../src/domain/platforms.ts'
import { beginAuthorization } from '../../api/endpoints.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { type BegunFor, rememberBegun } from '../../state/begun-authorization.ts'

/** Sends somebody to a platform, where they sign in and agree; they come back to `/connect`. */
export function useSignInThere() {
  const [going, setGoing] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  // Whoever comes back by the browser's own button finds the page as they left it.
  useEffect(() => {
    const look = (event: PageTransitionEvent) => {
      if (event.persisted) setGoing(false)
    }
    window.addEventListener('pageshow', look)
    return () => window.removeEventListener('pageshow', look)
  }, [])

  const go = async (platform: Platform, begun: BegunFor) => {
    setGoing(true)
    setError(null)
    try {
      const { id, url } = await beginAuthorization({ platform, ...begun })
      rememberBegun(id, begun)
      window.location.assign(url)
    } catch (failure) {
      setError(asApiError(failure))
      setGoing(false)
    }
  }
  return { going, error, go, forgetError: () => setError(null) }
}
