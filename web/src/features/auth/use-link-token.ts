import { useEffect, useState } from 'preact/hooks'

/** What stands behind `#`; links carry their tokens there, so that no log and no Referer has them. */
function read(): string {
  return window.location.hash.slice(1)
}

/** The token of the link that led here; empty without one. Another link may be opened in the same page. */
export function useLinkToken(): string {
  const [token, setToken] = useState(read)
  useEffect(() => {
    const update = () => setToken(read())
    window.addEventListener('hashchange', update)
    return () => window.removeEventListener('hashchange', update)
  }, [])
  return token
}
