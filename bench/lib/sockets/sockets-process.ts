import WebSocket from 'ws'
import { type SocketsReply, SocketsRequest } from './protocol.ts'
import { GroupReceipts } from './receipts.ts'

/** A process that listens, so that what is received is not delayed by what is sent. Ends with its parent. */

const HANDSHAKE_TIMEOUT_MS = 30_000

interface Group {
  receipts: GroupReceipts
  sockets: Set<WebSocket>
}

const groups = new Map<string, Group>()

const now = () => performance.timeOrigin + performance.now()

function groupOf(name: string): Group {
  let group = groups.get(name)
  if (group === undefined) {
    group = { receipts: new GroupReceipts(), sockets: new Set() }
    groups.set(name, group)
  }
  return group
}

async function openOne(url: string, { receipts, sockets }: Group): Promise<number> {
  const startedMs = performance.now()
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  })
  const reader = receipts.join()
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) receipts.take(reader, data, now())
  })
  socket.on('close', () => {
    sockets.delete(socket)
    receipts.leave(reader)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  sockets.add(socket)
  return performance.now() - startedMs
}

async function open(name: string, urls: string[], parallel: number): Promise<SocketsReply> {
  const group = groupOf(name)
  const startedMs = performance.now()
  const waiting = [...urls]
  const handshakesMs: number[] = []
  let failed = 0
  const worker = async () => {
    for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
      try {
        handshakesMs.push(await openOne(url, group))
      } catch {
        failed += 1
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  const elapsedMs = performance.now() - startedMs
  return { type: 'opened', opened: handshakesMs.length, failed, elapsedMs, handshakesMs }
}

async function close(name: string): Promise<void> {
  const { sockets } = groupOf(name)
  groups.delete(name)
  await Promise.all(
    Array.from(sockets, (socket) => {
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.terminate()
      return closed
    }),
  )
}

async function act(request: SocketsRequest): Promise<SocketsReply> {
  switch (request.type) {
    case 'open':
      return open(request.group, request.urls, request.parallel)
    case 'arm':
      groupOf(request.group).receipts.arm(request.timed)
      return { type: 'done' }
    case 'collect': {
      const { receipts } = groupOf(request.group)
      return { type: 'collected', ...(await receipts.collect(request.events, request.timeoutMs)) }
    }
    case 'close':
      await close(request.group)
      return { type: 'done' }
  }
}

function reply(message: SocketsReply): void {
  if (process.connected) process.send?.(message)
}

process.on('message', (message) => {
  act(SocketsRequest.parse(message)).then(reply, (error: unknown) =>
    reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
