import { createMiddleware } from 'hono/factory'
import { AppError } from '../../errors.ts'
import { readAtMost } from '../../lib/read-body.ts'
import type { HttpEnv } from '../context.ts'

export const MAX_JSON_BYTES = 10 * 1024 * 1024
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Reads JSON bodies within their bound, whatever their length claims to be, and refuses other kinds. Imports
 * are streamed, and bound their bodies themselves.
 */
export const boundBody = createMiddleware<HttpEnv>(async (c, next) => {
  const { body, headers } = c.req.raw
  if (!WITH_BODY.has(c.req.method) || body === null || c.req.path === '/api/v1/imports') return next()
  const declared = Number(headers.get('content-length') ?? Number.NaN)
  if (declared > MAX_JSON_BYTES) throw tooLarge()
  const read = await readAtMost(body, MAX_JSON_BYTES)
  if (read === null) throw tooLarge()
  if (read.size === 0) return next()
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json' && !type.endsWith('+json'))
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  // Kept where the framework looks for a body that was read before: it expects a promise there.
  Reflect.set(c.req.bodyCache, 'text', read.text())
  return next()
})

function tooLarge(): AppError {
  return new AppError('payload_too_large', 'A body has at most 10 MB.')
}
