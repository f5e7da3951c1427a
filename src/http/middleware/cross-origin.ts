import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../context.ts'

const EXPOSED =
  'ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, Cache-Status, Server-Timing, Idempotent-Replayed'

/** The origin whose page asks, where the deployment lets it; `null` elsewhere. */
function allowedOrigin(c: Context<HttpEnv>): string | null {
  const origin = c.req.header('origin')
  return origin !== undefined && c.var.deps.config.corsOrigins.includes(origin) ? origin : null
}

/** Lets the page of a configured origin read the answer as it is now. */
export function exposeAnswer(c: Context<HttpEnv>): void {
  const origin = allowedOrigin(c)
  if (origin === null) return
  const { headers } = c.res
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-allow-credentials', 'true')
  headers.set('access-control-expose-headers', EXPOSED)
  headers.append('vary', 'Origin')
}

/** Lets the pages of configured origins call the API, and no others. */
export const allowCrossOrigin = createMiddleware<HttpEnv>(async (c, next) => {
  if (c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined) {
    const origin = allowedOrigin(c)
    if (origin === null) return c.body(null, 403)
    return c.body(null, 204, {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
      'access-control-allow-headers':
        'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Workspace-Id, X-Requested-With',
      'access-control-max-age': '600',
      vary: 'Origin',
    })
  }
  await next()
  exposeAnswer(c)
})
