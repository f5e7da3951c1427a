import { LRUCache } from 'lru-cache'
import * as z from 'zod'
import { atMost } from '../lib/lru.ts'
import { once } from '../lib/once.ts'
import type { ResolveAddresses } from './guarded-fetch.ts'

const RECORD_TYPES = { A: 1, AAAA: 28 } as const
const NO_ERROR = 0
const NO_SUCH_NAME = 3

const dnsAnswer = once(() =>
  z.object({
    Status: z.number(),
    Answer: z.array(z.object({ type: z.number(), TTL: z.number().catch(0), data: z.string() })).default([]),
  }),
)

export interface DnsOverHttpsOptions {
  fetch: (url: string, init: RequestInit) => Promise<Response>
  /** A resolver that speaks `application/dns-json`. */
  endpoint?: string
  timeoutMs?: number
  /** Answers are kept for their TTL, at most this long. */
  maxTtlSeconds?: number
}

interface Resolved {
  addresses: string[]
  ttlSeconds: number
}

/**
 * A resolver for the guarded fetch where the runtime has none: all IPv4 and IPv6 addresses of a name,
 * none when there is no such name. Rejects when the resolver does not answer, or answers for one of the
 * two kinds only: a name that is half known is not known to be harmless.
 */
export function createDnsOverHttpsResolver(options: DnsOverHttpsOptions): ResolveAddresses {
  const { fetch, endpoint = 'https://cloudflare-dns.com/dns-query' } = options
  const { timeoutMs = 3_000, maxTtlSeconds = 60 } = options
  const cache = new LRUCache<string, string[]>(atMost(500))

  async function lookUp(hostname: string, type: keyof typeof RECORD_TYPES): Promise<Resolved> {
    const url = new URL(endpoint)
    url.searchParams.set('name', hostname)
    url.searchParams.set('type', type)
    const response = await fetch(url.href, {
      headers: { accept: 'application/dns-json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) {
      await response.body?.cancel()
      throw new Error(`The name resolver answered ${response.status}`)
    }
    const answer = dnsAnswer().parse(await response.json())
    if (answer.Status !== NO_ERROR && answer.Status !== NO_SUCH_NAME)
      throw new Error(`The name resolver answered with DNS status ${answer.Status}`)
    const records = answer.Answer.filter((record) => record.type === RECORD_TYPES[type])
    return {
      addresses: records.map((record) => record.data),
      ttlSeconds: Math.min(maxTtlSeconds, ...records.map((record) => record.TTL)),
    }
  }

  return async (hostname) => {
    const cached = cache.get(hostname)
    if (cached !== undefined) return cached
    const [ipv4, ipv6] = await Promise.all([lookUp(hostname, 'A'), lookUp(hostname, 'AAAA')])
    const addresses = [...ipv4.addresses, ...ipv6.addresses]
    const ttlSeconds = Math.min(ipv4.ttlSeconds, ipv6.ttlSeconds)
    if (addresses.length > 0 && ttlSeconds > 0) cache.set(hostname, addresses, { ttl: ttlSeconds * 1_000 })
    return addresses
  }
}
