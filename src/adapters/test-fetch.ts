import { createGuardedFetch, type GuardedFetchOptions } from './guarded-fetch.ts'

/** What reached the network. */
export interface Call {
  url: string
  init: RequestInit
}

/** Answers a call, or fails as a network does. */
export type Reply = (url: string, init: RequestInit) => Response | Promise<Response>

/** A guarded fetch over a double that records what reaches the network. */
export function guarded(reply: Reply, options: Partial<GuardedFetchOptions> = {}) {
  const calls: Call[] = []
  const fetch = createGuardedFetch({
    fetch: async (url, init) => {
      calls.push({ url, init })
      return reply(url, init)
    },
    ...options,
  })
  return { fetch, calls }
}

/** Answers everything. */
export const ok: Reply = () => new Response('ok')
