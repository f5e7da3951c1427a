/** For a year, and for every name below: browsers come back over https alone. */
const TRANSPORT_SECURITY = 'max-age=31536000; includeSubDomains'
/** Of what is no page: it loads nothing, and nothing shows it in a frame. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
/** What anybody may be shown, other sites' pages may load: only what they may read is CORS's to say. */
const PUBLIC_PATH = '/api/v1/public/'

/**
 * Says of an answer what browsers and caches may do with it. What its route has said itself stays.
 * @param request where it came from; `isSecure`: over https, to a deployment that is reached by https
 */
export function protectAnswer(headers: Headers, request: { path: string; isSecure: boolean }): void {
  // Over http it would be ignored, and a machine of one's own shall not be tied to https.
  if (request.isSecure) headers.set('strict-transport-security', TRANSPORT_SECURITY)
  headers.set('x-content-type-options', 'nosniff')
  // Addresses here hold ids, searches and tickets, and no page of ours needs to know where somebody came from.
  headers.set('referrer-policy', 'no-referrer')
  headers.set('x-frame-options', 'DENY')
  headers.set('cross-origin-opener-policy', 'same-origin')
  // It bounds what pages load without CORS; configured origins, which ask with it, are not touched.
  headers.set(
    'cross-origin-resource-policy',
    request.path.startsWith(PUBLIC_PATH) ? 'cross-origin' : 'same-origin',
  )
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', NO_PAGE)
  // Whatever is not said to be for others is for the person who asked, and is kept nowhere.
  if (!headers.has('cache-control')) headers.set('cache-control', 'private, no-store')
}
