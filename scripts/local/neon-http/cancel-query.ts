import { connect } from 'node:net'
import type { Client } from 'pg'

/** Marks a startup packet as a request to cancel, in place of a protocol version. */
const CANCEL_REQUEST_CODE = 80_877_102
const CANCEL_REQUEST_BYTES = 16

/**
 * Asks Postgres to cancel whatever the client's connection runs now. It takes a connection of its own,
 * which needs no login: the key that Postgres gave the client is the proof.
 * Resolves when Postgres has taken note (it does not say whether anything was cancelled), also when it
 * could not be reached.
 */
export function cancelQuery(client: Client): Promise<void> {
  const processId = numberProperty(client, 'processID')
  const secretKey = numberProperty(client, 'secretKey')
  if (processId === undefined || secretKey === undefined) return Promise.resolve()
  const packet = Buffer.alloc(CANCEL_REQUEST_BYTES)
  packet.writeInt32BE(CANCEL_REQUEST_BYTES, 0)
  packet.writeInt32BE(CANCEL_REQUEST_CODE, 4)
  packet.writeInt32BE(processId, 8)
  packet.writeInt32BE(secretKey, 12)
  return new Promise((resolve) => {
    const socket = connect(client.port, client.host)
    socket.on('connect', () => socket.write(packet))
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.resume()
  })
}

/** pg keeps the cancel key in properties that its types do not name. */
function numberProperty(client: Client, name: string): number | undefined {
  const value: unknown = Reflect.get(client, name)
  return typeof value === 'number' ? value : undefined
}
