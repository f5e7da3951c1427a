import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { AppError } from '../../errors.ts'
import type { HttpEnv } from '../context.ts'
import { noteAttempt, refuseAttempt } from '../failed-attempts.ts'
import { rateLimitOf, requestIdOf } from '../own-headers.ts'
import { problemResponse } from '../problem.ts'
import { compressAnswer } from './compress.ts'
import { exposeAnswer } from './cross-origin.ts'
import { protectAnswer } from './security-headers.ts'

/** Gives every request an id, every answer its standard headers, and every failure its problem document. */
export const outermost = createMiddleware<HttpEnv>(async (c, next) => {
  const requestId = requestIdOf(c.req.header('x-request-id'))
  c.set('requestId', requestId)
  c.set('startedAtMs', performance.now())
  c.set('limit', null)
  c.var.deps.probeSoon()
  const refusal = refuseAttempt(c)
  if (refusal === null) {
    try {
      await next()
    } catch (error) {
      // What no route takes fails beyond the framework's own handling, and is an answer like any other.
      c.res = answerError(error instanceof Error ? error : new Error('not an error', { cause: error }), c)
    }
  } else {
    c.res = answerError(refusal, c)
    exposeAnswer(c)
  }
  // An upgrade is the hub's own answer: its headers cannot be changed, and nobody reads them.
  if (c.res.status === 101) return
  noteAttempt(c)
  c.res = await compressAnswer(c.res, c.req.header('accept-encoding'))
  const { headers } = c.res
  headers.set('x-request-id', requestId)
  protectAnswer(headers, { path: c.req.path, isSecure: isSecure(c) })
  const limit = c.get('limit')
  if (limit !== null) {
    const { name, limit: quota, windowSeconds } = limit.policy
    headers.set('ratelimit-policy', `"${name}";q=${quota};w=${windowSeconds}`)
    headers.set('ratelimit', rateLimitOf(limit))
  }
  const timing = `total;dur=${(performance.now() - c.get('startedAtMs')).toFixed(1)}`
  const known = headers.get('server-timing')
  headers.set('server-timing', known === null ? timing : `${known}, ${timing}`)
})

/** Whether a request came over https to a deployment whose address is https. */
function isSecure(c: Context<HttpEnv>): boolean {
  return c.req.url.startsWith('https:') && c.var.deps.config.publicUrl.startsWith('https:')
}

/** Answers what a handler threw. What is not understood is logged whole, and shown as a fixed sentence. */
export function answerError(
  error: Error,
  c: {
    req: { url: string; path: string; method: string }
    get(key: 'requestId'): string
    get(key: 'deps'): HttpEnv['Variables']['deps'] | undefined
  },
): Response {
  const requestId = c.get('requestId')
  const log = c.get('deps')?.services.log
  if (!(error instanceof AppError))
    log?.error('unexpected failure', { requestId, method: c.req.method, path: c.req.path, error })
  else if (error.code === 'internal' || error.code === 'unavailable')
    log?.warn('request failed', { requestId, method: c.req.method, path: c.req.path, error })
  return problemResponse(error, { url: c.req.url, requestId })
}
