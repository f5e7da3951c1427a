import { CommandError, type Reply, Status } from './reply.ts'

const CARRIAGE_RETURN = 13
const ASTERISK = 42

/** A request that is not RESP; the connection cannot be read on. */
export class ProtocolError extends Error {}

/**
 * Collects the bytes of a connection and hands out whole requests, each an array of byte strings.
 * Clients send arrays of bulk strings only; inline commands are refused.
 */
export class RequestParser {
  #chunks: Buffer[] = []
  #sizeBytes = 0
  /** How much must be there before it is worth looking again: a large value arrives in many chunks. */
  #neededBytes = 0
  #buffer: Buffer = Buffer.alloc(0)

  /** @throws ProtocolError */
  push(chunk: Buffer): string[][] {
    this.#chunks.push(chunk)
    this.#sizeBytes += chunk.length
    if (this.#sizeBytes < this.#neededBytes) return []
    this.#buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    this.#neededBytes = 0
    const requests: string[][] = []
    let offset = 0
    for (let parsed = this.#parse(offset); parsed !== undefined; parsed = this.#parse(offset)) {
      requests.push(parsed.request)
      offset = parsed.end
    }
    this.#chunks = [this.#buffer.subarray(offset)]
    this.#sizeBytes -= offset
    this.#neededBytes = Math.max(0, this.#neededBytes - offset)
    return requests
  }

  #parse(start: number): { request: string[]; end: number } | undefined {
    const buffer = this.#buffer
    if (start >= buffer.length) return undefined
    if (buffer[start] !== ASTERISK) throw new ProtocolError('expected an array')
    const header = readLength(buffer, start + 1)
    if (header === undefined) return undefined
    const request: string[] = []
    let position = header.end
    for (let index = 0; index < header.length; index++) {
      if (position >= buffer.length) return undefined
      const bulk = readLength(buffer, position + 1)
      if (bulk === undefined) return undefined
      const end = bulk.end + bulk.length
      if (end + 2 > buffer.length) {
        this.#neededBytes = end + 2
        return undefined
      }
      request.push(buffer.toString('latin1', bulk.end, end))
      position = end + 2
    }
    return { request, end: position }
  }
}

function readLength(buffer: Buffer, start: number): { length: number; end: number } | undefined {
  const lineEnd = buffer.indexOf(CARRIAGE_RETURN, start)
  if (lineEnd === -1 || lineEnd + 1 >= buffer.length) return undefined
  const length = Number(buffer.toString('latin1', start, lineEnd))
  if (!Number.isInteger(length) || length < 0) throw new ProtocolError('invalid length')
  return { length, end: lineEnd + 2 }
}

/** A reply in RESP2, as a byte string to be written as latin1. */
export function serializeReply(reply: Reply): string {
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`
  if (typeof reply === 'number') return `:${reply}\r\n`
  if (reply === null) return '$-1\r\n'
  if (reply instanceof Status) return `+${oneLine(reply.text)}\r\n`
  if (reply instanceof CommandError) return `-${oneLine(reply.message)}\r\n`
  let text = `*${reply.length}\r\n`
  for (const item of reply) text += serializeReply(item)
  return text
}

/** A line break within an error or a status would end the reply early. */
const oneLine = (text: string) => text.replace(/[\r\n]/g, ' ')
