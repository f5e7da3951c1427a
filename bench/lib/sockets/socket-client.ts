import type { z } from 'zod'
import { type Forked, forkProgram } from '../forked.ts'
import { CollectReply, OpenReply, SocketsReply, type SocketsRequest } from './protocol.ts'

export type Opened = z.infer<typeof OpenReply>
export type Collected = z.infer<typeof CollectReply>

/** Sockets in a process of their own, in groups. */
export interface SocketClient {
  open(group: string, urls: string[], parallel: number): Promise<Opened>
  /**
   * Has an event sent, and waits until all sockets of the group have it.
   * @throws when none has it in time.
   */
  receive(options: {
    group: string
    eventType: string
    send: () => Promise<void>
    timeoutMs: number
  }): Promise<Collected>
}

export function startSocketClient(resources: AsyncDisposableStack): SocketClient {
  const forked = forkProgram(new URL('./sockets-process.ts', import.meta.url))
  resources.defer(() => forked.stop())
  return {
    open: async (group, urls, parallel) =>
      OpenReply.parse(await ask(forked, { type: 'open', group, urls, parallel })),
    async receive({ group, eventType, send, timeoutMs }) {
      await ask(forked, { type: 'arm', group, eventType })
      await send()
      return CollectReply.parse(await ask(forked, { type: 'collect', timeoutMs }))
    },
  }
}

async function ask(forked: Forked, request: SocketsRequest): Promise<SocketsReply> {
  const reply = SocketsReply.parse(await forked.ask(request))
  if (reply.type === 'failed') throw new Error(reply.message)
  return reply
}
