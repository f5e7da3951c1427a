import type { ViolationKind } from './stats.ts'

/** An error that the platform's API knows. What `name` means is the platform's business. */
export class ApiError extends Error {
  readonly status: number
  /** What the client did wrong, where that is worth counting. */
  readonly violation: ViolationKind | undefined

  constructor(status: number, name: string, message: string, violation?: ViolationKind) {
    super(message)
    this.name = name
    this.status = status
    this.violation = violation
  }
}

/** One request on its way through a platform. */
export interface Call {
  request: Request
  url: URL
  /** `scheme://host:port` under which the client sees the platform. */
  origin: string
  /** The moment of the request, in epoch milliseconds. */
  t: number
  /** The body as text; empty where there is none. */
  body: string
  /** The name under which the call is counted; set by the route. */
  endpoint: string
  /** How many ids the call asked for, and could have asked for; set by batch routes. */
  ids: number
  batchMax: number
  /** Counts something that the platform lets pass, but a client should not do. */
  note(kind: ViolationKind, detail: string): void
  /** The body as a form; without fields where it is none. */
  form(): URLSearchParams
  /** The body as JSON. @throws ApiError 400 `invalid_request` when it is none */
  json(): unknown
}

export interface Answer {
  status?: number
  /** Sent as JSON, or as it is where it is `text`. */
  body?: unknown
  text?: string
  contentType?: string
  headers?: Record<string, string>
}

/** The token that a request carries as `Authorization: Bearer`, or undefined. */
export function bearerOf(call: Call): string | undefined {
  return /^Bearer (\S+)$/i.exec(call.request.headers.get('authorization') ?? '')?.[1]
}

export interface CallSource {
  request: Request
  url: URL
  t: number
  body: string
}

/** @param count where violations go */
export function createCall(
  { request, url, t, body }: CallSource,
  count: (kind: ViolationKind, endpoint: string, detail: string) => void,
): Call {
  const call: Call = {
    request,
    url,
    origin: url.origin,
    t,
    body,
    endpoint: 'unknown',
    ids: 0,
    batchMax: 0,
    note: (kind, detail) => count(kind, call.endpoint, detail),
    form: () => new URLSearchParams(isForm(request) ? body : ''),
    json: () => {
      try {
        return JSON.parse(body)
      } catch {
        throw new ApiError(400, 'invalid_request', 'The body is not JSON', 'bad_parameter')
      }
    },
  }
  return call
}

function isForm(request: Request): boolean {
  return (request.headers.get('content-type') ?? '').startsWith('application/x-www-form-urlencoded')
}
