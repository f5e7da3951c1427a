import { type CallOutcome, type ConnectorContext, type PlatformCall, PlatformError } from '../../ports.ts'

/** For the tests of connectors: what they were given, and what they did with it. */
export interface TestNetwork {
  ctx: ConnectorContext
  /** The addresses called, in order, decoded for reading. */
  urls: string[]
  requests: { url: URL; method: string; headers: Headers; body: string }[]
  /** What was asked for before each call, in order. */
  admitted: PlatformCall[]
  /** How each call went, in order. */
  outcomes: CallOutcome[]
  /** Posts that were asked for and left open, in order. */
  open: string[]
}

/** A context whose network is `answer`; a `Response` may be given back, or anything to be sent as JSON. */
export function testNetwork(answer: (url: URL, body: string) => unknown): TestNetwork {
  const network: TestNetwork = {
    urls: [],
    requests: [],
    admitted: [],
    outcomes: [],
    open: [],
    ctx: {
      leaveOpen: (postId) => void network.open.push(postId),
      fetch: async (address, init) => {
        const url = new URL(address)
        network.urls.push(decodeURIComponent(url.href))
        const body = init?.body == null ? '' : String(init.body)
        network.requests.push({
          url,
          method: init?.method ?? 'GET',
          headers: new Headers(init?.headers),
          body,
        })
        const answered = await answer(url, body)
        return answered instanceof Response ? answered : Response.json(answered)
      },
      admit: async (call) => {
        network.admitted.push(call)
        return { settle: (outcome) => void network.outcomes.push(outcome) }
      },
    },
  }
  return network
}

/** An answer in HTML, as proxies and other people's sites give it. */
export function htmlPage(status: number): Response {
  return new Response('<!DOCTYPE html><title>Oops</title>', {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
  })
}

/** The `PlatformError` with which a call fails; throws when it succeeds or fails otherwise. */
export async function platformFailure(promise: Promise<unknown>): Promise<PlatformError> {
  const outcome: unknown = await promise.then(
    (value) => new Error(`It succeeded with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  if (outcome instanceof PlatformError) return outcome
  throw outcome
}
