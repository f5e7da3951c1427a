import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { stack } from './stack.ts'

/** Requests as they are, which `fetch` would set right or refuse: any path, any header, headers twice. */

export interface RawRequest {
  method: string
  /** With the query, escaped as it goes out. */
  path: string
  headers: [name: string, value: string][]
  body: Buffer | null
}

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  elapsedMs: number
}

/** Connections that are kept, as many at once as a busy client has. */
const agent = new Agent({ keepAlive: true, maxSockets: 32 })

/** @throws when nothing is answered within `timeoutMs` */
export async function sendRaw(raw: RawRequest, timeoutMs: number): Promise<RawAnswer> {
  const startedAt = performance.now()
  const { status, headers, body } = await attempt(raw, timeoutMs, true)
  return { status, headers, text: body, elapsedMs: performance.now() - startedAt }
}

function attempt(
  raw: RawRequest,
  timeoutMs: number,
  mayRepeat: boolean,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = raw
    const { hostname, port } = new URL(stack.url)
    const length = body === null ? [] : [['content-length', String(body.byteLength)]]
    const sent = request(
      {
        agent,
        hostname,
        port,
        method,
        path,
        headers: [['host', `${hostname}:${port}`], ...headers, ...length].flat(),
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        )
      },
    )
    sent.on('error', (error) => {
      // A kept connection may be closed at the very moment at which it is used again.
      if (mayRepeat && sent.reusedSocket && 'code' in error && error.code === 'ECONNRESET')
        attempt(raw, timeoutMs, false).then(resolve, reject)
      else reject(error)
    })
    sent.end(body ?? undefined)
  })
}

/** The request as one would repeat it by hand. */
export function asCurl({ method, path, headers, body }: RawRequest): string {
  const quoted = (part: string) => `'${part.replaceAll("'", "'\\''")}'`
  const short = (text: string, length: number) =>
    text.length > length ? `${text.slice(0, 200)}…(${text.length} characters)` : text
  return [
    `curl -X ${method} --path-as-is ${quoted(`$URL${short(path, 2_000)}`)}`,
    ...headers
      .filter(([name]) => name !== 'authorization')
      .map(([name, value]) => `-H ${quoted(`${name}: ${short(value, 300)}`)}`),
    ...(body === null
      ? method === 'GET'
        ? []
        : ["-H 'transfer-encoding: chunked' -d ''"]
      : [`--data-binary ${quoted(short(body.toString(), 2_000))}`]),
  ].join(' ')
}
