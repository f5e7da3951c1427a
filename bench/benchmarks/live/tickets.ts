import { z } from 'zod'
import { LIVE_LIMITS } from '../../../src/realtime/protocol.ts'
import { assertMeasured } from '../../lib/benchmark.ts'

/** Below what one user may have, so that the limit itself is not what is measured. */
const SOCKETS_PER_KEY = LIVE_LIMITS.socketsPerUser - 10

const CreatedKey = z.object({ key: z.string() })
const Ticket = z.object({ url: z.string() })

/** Addresses of sockets to come of one workspace, with tickets of as many keys as it takes. */
export class Tickets {
  readonly #url: string
  readonly #ownKey: string
  readonly #keys: string[] = []
  #made = 0

  /** @param apiKey one that may make others */
  constructor(url: string, apiKey: string) {
    this.#url = url
    this.#ownKey = apiKey
  }

  /** They live for half a minute. */
  async make(count: number): Promise<string[]> {
    const first = this.#made
    this.#made += count
    const missing = Math.ceil(this.#made / SOCKETS_PER_KEY) - this.#keys.length
    const keys = await inParallel(missing, 4, async (i) => {
      const body = { name: `Listener ${first}-${i}`, scopes: ['read'] }
      return CreatedKey.parse(await this.#post(this.#ownKey, '/api/v1/api-keys', body)).key
    })
    this.#keys.push(...keys)
    return inParallel(count, 16, async (i) => {
      const key = this.#keys[Math.floor((first + i) / SOCKETS_PER_KEY)] ?? ''
      return Ticket.parse(await this.#post(key, '/api/v1/realtime/tickets')).url
    })
  }

  async #post(key: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    assertMeasured(response.ok, `${path} answers ${response.status}: ${await response.clone().text()}`)
    return response.json()
  }
}

async function inParallel<T>(
  count: number,
  workers: number,
  make: (index: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = []
  let next = 0
  const worker = async () => {
    for (let i = next++; i < count; i = next++) made[i] = await make(i)
  }
  await Promise.all(Array.from({ length: workers }, worker))
  return made
}
