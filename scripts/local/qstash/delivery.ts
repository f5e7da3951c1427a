import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { canonicalHeaderName } from './publish-options.ts'
import { signDelivery } from './signing.ts'
import type { AttemptResult, HeaderMap, StoredMessage } from './types.ts'

/** What QStash grants a destination on its smaller plans. */
const DEFAULT_TIMEOUT_MS = 15 * 60_000

/** The longest that a timer can take. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

const MAX_STALE_SOCKETS = 3

/** More of an answer than this is not kept for callbacks and dead letters. */
const MAX_RESPONSE_BYTES = 1_048_576

/** Shorter than common servers keep an idle connection (Node: 5 s), which spares most reused-socket resets. */
const IDLE_SOCKET_MS = 4000

/** Makes the HTTP calls to destinations. Redirects are answers like any other. */
export class Deliverer {
  private readonly agents = {
    'http:': new HttpAgent({ keepAlive: true, timeout: IDLE_SOCKET_MS }),
    'https:': new HttpsAgent({ keepAlive: true, timeout: IDLE_SOCKET_MS }),
  }
  private readonly underWay = new Set<AbortController>()
  private closed = false

  /**
   * Calls a message's destination once, signed with `key`. Never rejects.
   * @returns the answer, or status 0 with an error: not reachable, cut off, timed out, shut down.
   */
  async deliver(message: StoredMessage, key: string): Promise<AttemptResult> {
    const { spec } = message
    const header: HeaderMap = {
      'User-Agent': ['Upstash-QStash'],
      Accept: ['*/*'],
      ...spec.header,
      'Upstash-Message-Id': [spec.messageId],
      'Upstash-Retried': [String(message.retried)],
      'Upstash-Caller-Ip': [spec.callerIp],
    }
    if (spec.scheduleId !== undefined) header['Upstash-Schedule-Id'] = [spec.scheduleId]
    if (spec.topicName !== undefined) header['Upstash-Topic-Name'] = [spec.topicName]
    if (spec.endpointName !== undefined) header['Upstash-Endpoint-Name'] = [spec.endpointName]
    const timeoutMs = Math.min(MAX_TIMEOUT_MS, spec.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), timeoutMs)
    this.underWay.add(abort)
    try {
      return await this.callOnLiveSocket(message, header, key, abort.signal)
    } catch (error) {
      const reason = this.closed ? 'shut down' : `no answer within ${timeoutMs} ms`
      return { status: 0, header: {}, body: Buffer.alloc(0), error: describeError(error, reason) }
    } finally {
      clearTimeout(timer)
      this.underWay.delete(abort)
    }
  }

  /** Ends the calls under way, and the idle connections. */
  close(): void {
    this.closed = true
    for (const abort of this.underWay) abort.abort()
    for (const agent of Object.values(this.agents)) agent.destroy()
  }

  private async callOnLiveSocket(
    { spec, body }: StoredMessage,
    header: HeaderMap,
    key: string,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    for (let staleSockets = 0; ; staleSockets += 1) {
      // Signed by the real time, also where the queue's clock is a test's: receivers check by theirs.
      const signature = signDelivery({ url: spec.url, body, key, nowMs: Date.now() })
      header['Upstash-Signature'] = [signature]
      try {
        return await this.call({ url: spec.url, method: spec.method, header, body, signal })
      } catch (error) {
        // The destination had hung up on the idle connection that was used; that is no failed attempt.
        const retryable = error instanceof StaleSocketError && staleSockets < MAX_STALE_SOCKETS
        if (!retryable || signal.aborted) throw error
      }
    }
  }

  private call(input: {
    url: string
    method: string
    header: HeaderMap
    body: Buffer
    signal: AbortSignal
  }): Promise<AttemptResult> {
    return new Promise((resolve, reject) => {
      const url = new URL(input.url)
      const isHttps = url.protocol === 'https:'
      const request: ClientRequest = (isHttps ? httpsRequest : httpRequest)(url, {
        method: input.method,
        agent: isHttps ? this.agents['https:'] : this.agents['http:'],
        headers: { ...input.header, ...(input.body.length > 0 && { 'Content-Length': input.body.length }) },
        signal: input.signal,
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(stale ? new StaleSocketError(error.message) : error)
      })
      request.on('response', (response) => readResponse(response).then(resolve, reject))
      request.end(input.body)
    })
  }
}

class StaleSocketError extends Error {}

async function readResponse(response: IncomingMessage): Promise<AttemptResult> {
  const chunks: Buffer[] = []
  let keptBytes = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    const kept = bytes.subarray(0, MAX_RESPONSE_BYTES - keptBytes)
    keptBytes += kept.length
    if (kept.length > 0) chunks.push(kept)
  }
  return {
    status: response.statusCode ?? 0,
    header: headerMapOf(response),
    body: Buffer.concat(chunks),
  }
}

function headerMapOf(response: IncomingMessage): HeaderMap {
  const header: HeaderMap = {}
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    if (values) header[canonicalHeaderName(name)] = values
  }
  return header
}

function describeError(error: unknown, abortReason: string): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return abortReason
  // Several addresses of one host that all refuse have no message of their own.
  if (error instanceof AggregateError) return error.errors.map((each) => describeError(each, '')).join('; ')
  return error.message
}
