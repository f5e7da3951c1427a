import { expect, it } from 'vitest'
import { countUpload, MAX_IMPORT_BYTES } from './upload.ts'

/** A body of `pieces` pieces that says how many were asked for, and whether it was cancelled. */
function body(pieces: number, pieceBytes: number, breakAt = Number.POSITIVE_INFINITY) {
  const seen = { given: 0, cancelled: false }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (seen.given === breakAt) return controller.error(new Error('socket hang up'))
        if (seen.given === pieces) return controller.close()
        seen.given += 1
        controller.enqueue(new Uint8Array(pieceBytes).fill(seen.given))
      },
      cancel() {
        seen.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, seen }
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const bytes: number[] = []
  for await (const piece of stream) bytes.push(...piece)
  return bytes
}

it('hands a body through as it is, and counts it', async () => {
  const upload = countUpload(body(3, 2).stream, 6)
  expect(await readAll(upload.stream)).toEqual([1, 1, 2, 2, 3, 3])
  expect(upload).toMatchObject({ size: 6, failure: null })
})

it('breaks off one byte beyond the limit, and asks for nothing more', async () => {
  const { stream, seen } = body(1_000, 2)
  const upload = countUpload(stream, 5)
  await expect(readAll(upload.stream)).rejects.toMatchObject({ code: 'payload_too_large' })
  expect(upload.failure).toMatchObject({ code: 'payload_too_large' })
  expect(seen).toEqual({ given: 3, cancelled: true })
})

it('says so when the sender broke off', async () => {
  const upload = countUpload(body(10, 2, 2).stream, 100)
  await expect(readAll(upload.stream)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(upload.failure).toMatchObject({ code: 'invalid_request', fields: [{ pointer: '' }] })
})

it('stops the sender when the store does not want the rest', async () => {
  const { stream, seen } = body(10, 2)
  const upload = countUpload(stream, 100)
  await upload.stream.cancel()
  expect(seen.cancelled).toBe(true)
})

it('allows what the contract promises', () => {
  expect(MAX_IMPORT_BYTES).toBe(100_000_000)
})
