import { addressReach, classifyAddress, hostReach, isAddress } from '../lib/ip-address.ts'
import { PlatformError } from '../ports.ts'

/** All addresses of a name, none when there is no such name; rejects when that cannot be known. */
export type ResolveAddresses = (hostname: string) => Promise<string[]>

export interface GuardedFetchOptions {
  fetch: (url: string, init: RequestInit) => Promise<Response>
  /**
   * Lets private networks and this machine be called, over http and on any port. Link-local, metadata
   * and reserved addresses stay refused.
   */
  allowPrivateHosts?: boolean
  /** Where given, a name is refused when any of its addresses is. */
  resolveAddresses?: ResolveAddresses
  /**
   * Origins of the operator's own configuration, called wherever they are. Give them to an instance that
   * is called with no address a user chose. Redirects to elsewhere are checked as always.
   */
  trustedOrigins?: readonly string[]
  /** Most bytes of an answer, after decompression. */
  maxBytes?: number
  /** For everything together: names, redirects, headers, body. */
  timeoutMs?: number
  maxRedirects?: number
}

/** See `createGuardedFetch`. */
export type GuardedFetch = (url: string, init?: RequestInit) => Promise<Response>

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])
/** All that another origin than the one called is told; whatever else is set may be a credential. */
const HEADERS_FOR_OTHER_ORIGINS = ['accept', 'accept-language', 'user-agent']

function refused(message: string): PlatformError {
  return new PlatformError('refused', message)
}

/** Everything of one call that ends with it: the clock, and the caller's own wish to stop. */
class Deadline {
  readonly #controller = new AbortController()
  readonly #ended: Promise<never>
  readonly #timer: ReturnType<typeof setTimeout>
  readonly #outer: AbortSignal | undefined
  #reject: (reason: PlatformError) => void = () => {}

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer
    this.#ended = new Promise<never>((_, reject) => {
      this.#reject = reject
    })
    this.#ended.catch(() => {})
    this.#timer = setTimeout(() => this.#end(`No answer within ${timeoutMs / 1_000} seconds.`), timeoutMs)
    outer?.addEventListener('abort', this.#stop)
    if (outer?.aborted) this.#stop()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The promise, unless time runs out first; `discard` gets a result that then still comes. */
  async race<T>(promise: Promise<T>, discard?: (late: T) => unknown): Promise<T> {
    try {
      return await Promise.race([promise, this.#ended])
    } catch (error) {
      promise.then(discard, () => {})
      throw error
    }
  }

  finish(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#stop)
  }

  /** Ends what is still under way, once nobody waits for it. */
  abandon(): void {
    this.#controller.abort()
  }

  readonly #stop = (): void => this.#end('The call was cancelled.')

  #end(message: string): void {
    // First the reason, then the abort: a fetch rejects on abort with a reason that says less.
    this.#reject(new PlatformError('transient', message))
    this.#controller.abort()
  }
}

/**
 * A fetch for addresses that users choose. Only https, only on port 443 (a server of the open internet that is
 * meant to be found has that one; 8443 and its like are consoles), no credentials in the address, and no
 * host that is private, reserved or this machine, in whatever spelling, at the first address and at each
 * redirect (of which there are few); bounded in bytes and time. The whole answer is read before the
 * promise resolves; its `url` is where it came from in the end. With `redirect: 'manual'` the redirect
 * itself is the answer.
 *
 * Rejects with a `PlatformError`: `refused` for an address that may not be fetched, `transient` for
 * network errors and timeouts, `bad_answer` for too many bytes or redirects.
 */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { fetch, resolveAddresses, allowPrivateHosts = false } = options
  const { maxBytes = 5_000_000, timeoutMs = 10_000, maxRedirects = 3 } = options
  const trustedOrigins = new Set((options.trustedOrigins ?? []).map((origin) => new URL(origin).origin))
  const mayReach = (reach: string): boolean =>
    reach === 'public' || (reach === 'private' && allowPrivateHosts)

  async function check(url: URL, deadline: Deadline): Promise<void> {
    const reach = hostReach(url.hostname)
    if (url.username !== '' || url.password !== '')
      throw refused('An address may not hold a user name or password.')
    if (!mayReach(reach)) throw refused(`The host ${url.host} may not be called.`)
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && reach === 'private'))
      throw refused(`The address must start with https://, not ${url.protocol}//.`)
    if (url.port !== '' && !allowPrivateHosts) throw refused(`The port ${url.port} may not be called.`)
    if (resolveAddresses === undefined || reach === 'private' || isAddress(url.hostname)) return

    const addresses = await deadline.race(
      resolveAddresses(url.hostname).catch((cause: unknown) => {
        throw new PlatformError('transient', `The name ${url.hostname} could not be resolved.`, { cause })
      }),
    )
    if (addresses.length === 0)
      throw new PlatformError('transient', `There is no server named ${url.hostname}.`)
    for (const address of addresses) {
      const addressClass = classifyAddress(address)
      if (addressClass === null || !mayReach(addressReach(addressClass)))
        throw refused(`The host ${url.hostname} may not be called.`)
    }
  }

  async function send(url: URL, init: RequestInit, deadline: Deadline): Promise<Response> {
    try {
      const sent = fetch(url.href, { ...init, redirect: 'manual', signal: deadline.signal })
      return await deadline.race(sent, (late) => discard(late.body))
    } catch (cause) {
      if (cause instanceof PlatformError) throw cause
      throw new PlatformError('transient', `${url.host} could not be reached.`, { cause })
    }
  }

  async function readBody(
    response: Response,
    url: URL,
    deadline: Deadline,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = []
    let size = 0
    const reader = response.body?.getReader()
    while (reader !== undefined) {
      const { done, value } = await deadline.race(reader.read()).catch((cause: unknown) => {
        discard(reader)
        if (cause instanceof PlatformError) throw cause
        throw new PlatformError('transient', `The answer of ${url.host} broke off.`, { cause })
      })
      if (done) break
      size += value.byteLength
      if (size > maxBytes) {
        discard(reader)
        throw new PlatformError('bad_answer', `The answer of ${url.host} is larger than ${maxBytes} bytes.`)
      }
      chunks.push(value)
    }
    const body = new Uint8Array(size)
    let offset = 0
    for (const chunk of chunks) {
      body.set(chunk, offset)
      offset += chunk.byteLength
    }
    return body
  }

  async function follow(first: URL, init: RequestInit, deadline: Deadline): Promise<Response> {
    let url = first
    let request = init
    for (let redirects = 0; ; redirects++) {
      const isTrusted = trustedOrigins.has(url.origin) && url.origin === first.origin
      if (!isTrusted) await check(url, deadline)
      const response = await send(url, request, deadline)
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null
      if (location === null || init.redirect === 'manual') {
        const body = await readBody(response, url, deadline)
        return answerOf(response, url, body)
      }
      // An open body would keep its connection, of which a Worker has six.
      discard(response.body)
      if (redirects >= maxRedirects || init.redirect === 'error')
        throw new PlatformError('bad_answer', `${first.host} redirects too often.`)
      const next = parseUrl(location, url)
      request = redirectedRequest(request, response.status, next.origin === url.origin)
      url = next
    }
  }

  return async (address, init = {}) => {
    const deadline = new Deadline(timeoutMs, init.signal ?? undefined)
    try {
      return await follow(parseUrl(address), init, deadline)
    } catch (cause) {
      deadline.abandon()
      if (cause instanceof PlatformError) throw cause
      throw new PlatformError('transient', 'The answer could not be read.', { cause })
    } finally {
      deadline.finish()
    }
  }
}

/** Ends a body that nobody will read; a body that fails while it ends has ended too. */
function discard(body: { cancel(): Promise<void> } | null): void {
  body?.cancel().catch(() => {})
}

function parseUrl(address: string, base?: URL): URL {
  const url = URL.parse(address, base?.href)
  if (url === null) throw refused('The address is not a valid URL.')
  return url
}

/** What is sent to the next address, as browsers do it, but nothing confidential to another origin. */
function redirectedRequest(request: RequestInit, status: number, sameOrigin: boolean): RequestInit {
  const method = (request.method ?? 'GET').toUpperCase()
  const becomesGet =
    method !== 'HEAD' && (!sameOrigin || status === 303 || (status < 303 && method === 'POST'))
  const { body, ...rest } = request
  const headers = new Headers(request.headers)
  for (const name of [...headers.keys()]) {
    const isKept = sameOrigin
      ? !becomesGet || !name.startsWith('content-')
      : HEADERS_FOR_OTHER_ORIGINS.includes(name)
    if (!isKept) headers.delete(name)
  }
  if (becomesGet || body === undefined || body === null)
    return { ...rest, headers, method: becomesGet ? 'GET' : method }
  if (body instanceof ReadableStream)
    throw new PlatformError('bad_answer', 'A redirect asks for a body that is already sent.')
  return { ...rest, headers, method, body }
}

function answerOf(response: Response, url: URL, body: Uint8Array<ArrayBuffer>): Response {
  const headers = new Headers(response.headers)
  // The body is read and decompressed: these described it on its way.
  headers.delete('content-encoding')
  headers.delete('content-length')
  const answer = new Response(WITHOUT_BODY.has(response.status) ? null : body, {
    status: response.status,
    headers,
  })
  return Object.defineProperty(answer, 'url', { value: url.href })
}
