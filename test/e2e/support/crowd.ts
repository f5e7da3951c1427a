import { Tickets } from '../../../bench/benchmarks/live/tickets.ts'
import { startSocketClients } from '../../../bench/lib/sockets/socket-client.ts'
import type { Person } from './people.ts'
import { stack } from './stack.ts'

const GROUP = 'crowd'
const PARALLEL_HANDSHAKES = 32
/** Of which there are no events: they are there, and hear nothing. */
const TYPES = 'alert'

/** Sockets of a workspace that are there to be held. */
interface Crowd {
  /** How many of them are gone. */
  lost(): Promise<number>
}

/** Opens so many sockets, in a process of its own. @throws when one of them does not open */
export async function openCrowd(
  person: Person,
  sockets: number,
  resources: AsyncDisposableStack,
): Promise<Crowd> {
  const clients = startSocketClients(resources, 1)
  const urls = await new Tickets(stack.url, person.apiKey).make(sockets)
  await clients.arm(GROUP, false)
  const { opened } = await clients.open(
    GROUP,
    urls.map((url) => `${url}&types=${TYPES}`),
    PARALLEL_HANDSHAKES,
  )
  if (opened !== sockets) throw new Error(`${opened} of ${sockets} sockets have opened`)
  return { lost: async () => (await clients.collect(GROUP, 0, 0)).lost }
}
