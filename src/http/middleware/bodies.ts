import { createMiddleware } from 'hono/factory'
import { AppError, invalidRequest } from '../../errors.ts'
import { readAtMost } from '../../lib/read-body.ts'
import type { HttpEnv } from '../context.ts'

export const MAX_JSON_BYTES = 10 * 1024 * 1024
/** Even a slow connection has sent a body of the largest kind by then. */
const MAX_BODY_MS = 120_000
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Reads JSON bodies within their bounds of size and time, whatever their length claims to be, and refuses
 * other kinds. Imports are streamed, and bound their bodies themselves.
 */
export const boundBody = createMiddleware<HttpEnv>(async (c, next) => {
  const { body, headers } = c.req.raw
  if (!WITH_BODY.has(c.req.method) || body === null) return next()
  // A bound on what arrives says nothing of what it becomes: compressed bodies are not taken at all.
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity')
    throw new AppError('unsupported_media_type', 'Send the body as it is, without Content-Encoding.')
  if (c.req.path === '/api/v1/imports') return next()
  const declared = Number(headers.get('content-length') ?? Number.NaN)
  if (declared > MAX_JSON_BYTES) throw tooLarge()
  const read = await readAtMost(endingAfter(body, MAX_BODY_MS), MAX_JSON_BYTES)
  if (read === null) throw tooLarge()
  // Kept where the framework looks for a body that was read before: it expects a promise there. (A blob without
  // bytes cannot be read twice.)
  Reflect.set(c.req.bodyCache, 'text', read.size === 0 ? Promise.resolve('') : read.text())
  if (read.size === 0) return next()
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json' && !type.endsWith('+json'))
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  return next()
})

/** A body that fails where it takes longer than this. */
function endingAfter(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  timeoutMs: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader()
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = () => clearTimeout(timer)
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        timer = setTimeout(() => {
          controller.error(
            invalidRequest([{ pointer: '', detail: `did not arrive within ${timeoutMs / 1_000} seconds` }]),
          )
          reader.cancel().catch(() => {})
        }, timeoutMs)
      },
      async pull(controller) {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        end()
        controller.close()
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    // Nothing is read ahead of what is asked for.
    { highWaterMark: 0 },
  )
}

function tooLarge(): AppError {
  return new AppError('payload_too_large', 'A body has at most 10 MB.')
}
