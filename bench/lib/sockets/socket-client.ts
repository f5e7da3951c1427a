import type { z } from 'zod'
import { type Forked, forkProgram } from '../forked.ts'
import { CollectReply, OpenReply, SocketsReply, type SocketsRequest } from './protocol.ts'

export type Opened = z.infer<typeof OpenReply>
export type Collected = Omit<z.infer<typeof CollectReply>, 'type'>

/** Sockets in processes of their own, spread evenly, in groups. */
export interface SocketClients {
  /** @param parallel handshakes under way at once, in all processes together */
  open(group: string, urls: string[], parallel: number): Promise<Opened>
  /** Begins to note what arrives on a group; `timed`: and when, on each socket. */
  arm(group: string, timed: boolean): Promise<void>
  /** Waits until all sockets of the group have had so many events since then, or until time is up. */
  collect(group: string, events: number, timeoutMs: number): Promise<Collected>
  close(group: string): Promise<void>
}

export function startSocketClients(resources: AsyncDisposableStack, processes: number): SocketClients {
  const program = new URL('./sockets-process.ts', import.meta.url)
  const forked = Array.from({ length: processes }, () => forkProgram(program))
  for (const one of forked) resources.defer(() => one.stop())
  const all = (request: SocketsRequest) => Promise.all(forked.map((one) => ask(one, request)))
  return {
    async open(group, urls, parallel) {
      const startedMs = performance.now()
      const replies = await Promise.all(
        forked.map(async (one, i) =>
          OpenReply.parse(
            await ask(one, {
              type: 'open',
              group,
              urls: urls.filter((_, url) => url % processes === i),
              parallel: Math.max(1, Math.floor(parallel / processes)),
            }),
          ),
        ),
      )
      return {
        type: 'opened',
        opened: sum(replies, ({ opened }) => opened),
        failed: sum(replies, ({ failed }) => failed),
        elapsedMs: performance.now() - startedMs,
        handshakesMs: replies.flatMap(({ handshakesMs }) => handshakesMs),
      }
    },
    async arm(group, timed) {
      await all({ type: 'arm', group, timed })
    },
    async collect(group, events, timeoutMs) {
      const replies = await all({ type: 'collect', group, events, timeoutMs })
      return joined(replies.map((reply) => CollectReply.parse(reply)))
    },
    async close(group) {
      await all({ type: 'close', group })
    },
  }
}

function joined(parts: Collected[]): Collected {
  const events = new Map<number, Collected['events'][number]>()
  for (const event of parts.flatMap((part) => part.events)) {
    const known = events.get(event.seq)
    if (known === undefined) events.set(event.seq, { ...event })
    else known.receivedAtMs = known.receivedAtMs.concat(event.receivedAtMs)
  }
  return {
    sockets: sum(parts, ({ sockets }) => sockets),
    lost: sum(parts, ({ lost }) => lost),
    missing: sum(parts, ({ missing }) => missing),
    gaps: sum(parts, ({ gaps }) => gaps),
    lastAtMs: Math.max(...parts.map(({ lastAtMs }) => lastAtMs)),
    events: [...events.values()].sort((a, b) => a.seq - b.seq),
    frameBytes: Math.max(...parts.map(({ frameBytes }) => frameBytes)),
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

async function ask(forked: Forked, request: SocketsRequest): Promise<SocketsReply> {
  const reply = SocketsReply.parse(await forked.ask(request))
  if (reply.type === 'failed') throw new Error(reply.message)
  return reply
}
