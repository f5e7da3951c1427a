import { neonConfig } from '@neondatabase/serverless'

export interface RoundTripCounter {
  /** Requests that this process has sent to the database's HTTP endpoint. */
  count(): number
}

/** Counts what the database driver really sends. */
export function countRoundTrips(resources: AsyncDisposableStack): RoundTripCounter {
  let sent = 0
  neonConfig.fetchFunction = (url: string, init: RequestInit) => {
    sent += 1
    return fetch(url, init)
  }
  resources.defer(() => {
    neonConfig.fetchFunction = undefined
  })
  return { count: () => sent }
}
