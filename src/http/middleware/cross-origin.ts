import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../context.ts'

const EXPOSED =
  'ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, Cache-Status, Server-Timing, Idempotent-Replayed'

/** Lets the pages of configured origins call the API, and no others. */
export const allowCrossOrigin = createMiddleware<HttpEnv>(async (c, next) => {
  const origin = c.req.header('origin')
  const allowed = origin !== undefined && c.var.deps.config.corsOrigins.includes(origin)
  if (c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined) {
    if (!allowed) return c.body(null, 403)
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
  if (!allowed) return
  c.res.headers.set('access-control-allow-origin', origin)
  c.res.headers.set('access-control-allow-credentials', 'true')
  c.res.headers.set('access-control-expose-headers', EXPOSED)
  c.res.headers.append('vary', 'Origin')
})
