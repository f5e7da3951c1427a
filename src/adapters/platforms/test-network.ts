import { type ConnectorContext, PlatformError, type RateLimitRule, type RateSignal } from '../../ports.ts'

/** For the tests of connectors: what they were given, and what they did with it. */
export interface TestNetwork {
  ctx: ConnectorContext
  /** The addresses called, in order, decoded for reading. */
  urls: string[]
  requests: { url: URL; headers: Headers }[]
  /** What was spent before each call. */
  spent: RateLimitRule[]
  signals: RateSignal[]
}

/** A context whose network is `answer`; a `Response` may be given back, or anything to be sent as JSON. */
export function testNetwork(answer: (url: URL) => unknown): TestNetwork {
  const network: TestNetwork = {
    urls: [],
    requests: [],
    spent: [],
    signals: [],
    ctx: {
      fetch: async (address, init) => {
        const url = new URL(address)
        network.urls.push(decodeURIComponent(url.href))
        network.requests.push({ url, headers: new Headers(init?.headers) })
        const answered = await answer(url)
        return answered instanceof Response ? answered : Response.json(answered)
      },
      spend: async (rule) => {
        network.spent.push(rule)
      },
      onRateSignal: (signal) => {
        network.signals.push(signal)
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
