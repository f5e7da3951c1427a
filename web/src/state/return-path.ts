/**
 * The page to return to after signing in. Only paths of this site: an address from elsewhere
 * (`https://…`, `//host`, `/\host`) would let a link send people away after they signed in.
 */
export function safeReturnPath(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return '/'
  const { pathname, search, origin } = new URL(next, 'https://tidemark.invalid')
  if (origin !== 'https://tidemark.invalid' || pathname.startsWith('//') || isSignInPath(pathname)) return '/'
  return pathname + search
}

export function isSignInPath(path: string): boolean {
  return path === '/sign-in' || path === '/sign-up'
}

/** The sign-in page that leads back to where the reader is. */
export function signInPath(here: string): string {
  const next = safeReturnPath(here)
  return next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`
}
