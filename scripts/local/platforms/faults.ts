import { setTimeout as delay } from 'node:timers/promises'
import type { ActiveFault } from './overlay.ts'

/** What faults do to requests and answers, the same on every platform. */

/** What Bluesky calls them. */
export const OUTAGE_NAMES: Record<number, string> = {
  500: 'InternalServerError',
  502: 'UpstreamFailure',
  503: 'NotEnoughResources',
  504: 'UpstreamTimeout',
}

export const OUTAGE_PAGE =
  '<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Be right back</h1></body></html>'

/** Waits as long as the faults say. A client that has gone away ends the wait. */
export async function waitOut(faults: readonly ActiveFault[], signal: AbortSignal): Promise<void> {
  for (const fault of faults) {
    if (fault.kind === 'slow') await delay(fault.delayMs, undefined, { signal }).catch(() => {})
  }
}

/** Ends an answer in the middle. */
export async function truncated(response: Response): Promise<Response> {
  const body = new Uint8Array(await response.arrayBuffer())
  const headers = new Headers(response.headers)
  return new Response(body.subarray(0, Math.floor(body.length / 2)), { status: response.status, headers })
}

/** Gives JSON of a shape that nobody documented: a list where there was an object, and the reverse. */
export async function malformed(response: Response): Promise<Response> {
  const text = await response.text()
  const headers = new Headers(response.headers)
  const other = text.trimStart().startsWith('[') ? { unexpected: true } : [{ unexpected: true }]
  return new Response(JSON.stringify(other), { status: response.status, headers })
}

/** The body of a request as text, or undefined where it is larger than allowed. */
export async function limitedBody(request: Request, maxBytes: number): Promise<string | undefined> {
  if (request.body === null) return ''
  const bytes = await request.arrayBuffer()
  return bytes.byteLength > maxBytes ? undefined : new TextDecoder().decode(bytes)
}
