/** Pages for whoever is not signed in, which lead on to others by themselves. */
const SIGN_IN_PATHS = ['/sign-in', '/sign-up']

/** Pages that can be read whoever is signed in: links from mails lead here. */
const LINK_PATHS = ['/forgot-password', '/reset-password', '/verify-email', '/invite']

/**
 * The page to return to after signing in. Only paths of this site: an address from elsewhere
 * (`https://…`, `//host`, `/\host`) would let a link send people away after they signed in.
 */
export function safeReturnPath(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return '/'
  const { pathname, search, origin } = new URL(next, 'https://tidemark.invalid')
  if (origin !== 'https://tidemark.invalid' || pathname.startsWith('//') || isOpenPath(pathname)) return '/'
  return pathname + search
}

export function isSignInPath(path: string): boolean {
  return SIGN_IN_PATHS.includes(path)
}

/** Whether a page is shown without signing in. */
export function isOpenPath(path: string): boolean {
  return isSignInPath(path) || LINK_PATHS.includes(path)
}

/** The sign-in page that leads back to where the reader is. */
export function signInPath(here: string): string {
  const next = safeReturnPath(here)
  return next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`
}
