import type { R2Bucket } from '@cloudflare/workers-types'
import type { ObjectStore } from '../ports.ts'

/** R2 multipart uploads take parts of one size, at least this. */
const PART_BYTES = 8 * 1024 * 1024

/** Objects in an R2 bucket. A body of unknown length is uploaded in parts, so that it is never held whole. */
export function createObjectStore(bucket: R2Bucket): ObjectStore {
  return {
    async put(key, body) {
      if (body instanceof Uint8Array) {
        await bucket.put(key, body)
        return { size: body.byteLength }
      }
      return uploadParts(bucket, key, body)
    },
    async getRange(key, offset, length) {
      const object = await bucket.get(key, { range: { offset, length } })
      return object === null ? null : new Uint8Array(await object.arrayBuffer())
    },
    async delete(key) {
      await bucket.delete(key)
    },
  }
}

async function uploadParts(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream<Uint8Array>,
): Promise<{ size: number }> {
  const parts = inParts(body, PART_BYTES)
  const first = await parts.next()
  const second = first.done ? first : await parts.next()
  if (first.done || second.done) {
    const bytes = first.done ? new Uint8Array() : first.value
    await bucket.put(key, bytes)
    return { size: bytes.byteLength }
  }
  const upload = await bucket.createMultipartUpload(key)
  try {
    const uploaded = [await upload.uploadPart(1, first.value), await upload.uploadPart(2, second.value)]
    let size = first.value.byteLength + second.value.byteLength
    for await (const part of parts) {
      uploaded.push(await upload.uploadPart(uploaded.length + 1, part))
      size += part.byteLength
    }
    await upload.complete(uploaded)
    return { size }
  } catch (error) {
    await upload.abort()
    throw error
  }
}

/** A stream's bytes in pieces of exactly `size`, the last one smaller. */
async function* inParts(
  body: ReadableStream<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, undefined> {
  let part = new Uint8Array(size)
  let filled = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    for (let from = 0; from < value.byteLength; ) {
      const take = Math.min(size - filled, value.byteLength - from)
      part.set(value.subarray(from, from + take), filled)
      filled += take
      from += take
      if (filled === size) {
        yield part
        part = new Uint8Array(size)
        filled = 0
      }
    }
  }
  if (filled > 0) yield part.subarray(0, filled)
  return undefined
}
