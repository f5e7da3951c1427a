import { AppError, invalidRequest } from '../../errors.ts'

/** The largest file that is taken, in bytes. */
export const MAX_IMPORT_BYTES = 100 * 1000 * 1000

/** A body on its way into the object store. */
export interface Upload {
  /** The same bytes; breaks off with `failure` where that is set. */
  stream: ReadableStream<Uint8Array>
  /** Bytes that have gone through. */
  readonly size: number
  /** What is wrong with the body itself: too large, or broken off by its sender. */
  readonly failure: AppError | null
}

/** Counts a body while it is read, and stops reading it beyond `maxBytes`. Holds nothing back. */
export function countUpload(body: ReadableStream<Uint8Array>, maxBytes: number): Upload {
  const reader = body.getReader()
  let size = 0
  let failure: AppError | null = null
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await reader.read().catch((cause: unknown) => {
        const detail = 'The body broke off before its end; send it again.'
        failure = new AppError('invalid_request', 'The file did not arrive whole.', {
          cause,
          fields: [{ pointer: '', detail }],
        })
        return null
      })
      if (chunk?.done) return controller.close()
      if (chunk !== null) size += chunk.value.byteLength
      if (size > maxBytes) {
        failure = new AppError(
          'payload_too_large',
          `An import takes files of up to ${inMegabytes(maxBytes)}.`,
        )
        // Nobody waits for the rest of it.
        reader.cancel(failure).catch(() => {})
      }
      if (failure !== null) controller.error(failure)
      else if (chunk !== null) controller.enqueue(chunk.value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return {
    stream,
    get size() {
      return size
    },
    get failure() {
      return failure
    },
  }
}

const inMegabytes = (bytes: number) => `${bytes / 1_000_000} MB`

/** What is said of a file without a single byte. */
export function emptyFile(format: string): AppError {
  return invalidRequest([{ pointer: `/${format}`, detail: 'The file is empty.' }], 'The file is empty.')
}
