/** A reply as ioredis gives it in buffer mode; errors stand within arrays too. */
export type RedisReply = Buffer | string | number | null | Error | readonly RedisReply[]

export type Encoding = 'utf8' | 'base64'

export type JsonReply = string | number | null | JsonReply[]

/**
 * A reply as JSON. In base64 every string is encoded but a plain `OK`, which clients take as it is (it could
 * not be base64, whose length is a multiple of four); within arrays they decode that too.
 */
export function jsonReply(reply: RedisReply, encoding: Encoding): JsonReply {
  if (Buffer.isBuffer(reply)) {
    const isOk = reply.length === 2 && reply.toString('latin1') === 'OK'
    return isOk ? 'OK' : reply.toString(encoding)
  }
  return jsonItem(reply, encoding)
}

function jsonItem(reply: RedisReply, encoding: Encoding): JsonReply {
  if (Buffer.isBuffer(reply)) return reply.toString(encoding)
  if (typeof reply === 'string') return Buffer.from(reply).toString(encoding)
  if (reply === null || typeof reply === 'number') return reply
  if (reply instanceof Error) return Buffer.from(reply.message).toString(encoding)
  return reply.map((item) => jsonItem(item, encoding))
}

/**
 * ioredis types every reply as unknown.
 * @returns the same value; what Redis's protocol has no type for cannot come from it.
 */
export function asRedisReply(value: unknown): RedisReply {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value
  if (Buffer.isBuffer(value) || value instanceof Error) return value
  if (Array.isArray(value)) return value.map(asRedisReply)
  throw new TypeError(`Unexpected reply of type ${typeof value}`)
}
