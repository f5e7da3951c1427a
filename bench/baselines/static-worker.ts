/**
 * A route whose answer is always the same: an overview's bytes and headers, behind the product's own outermost
 * middleware, with nobody to recognise, nothing to look up and nothing to count.
 */
import { Hono } from 'hono'
import type { HttpDeps, HttpEnv } from '../../src/http/context.ts'
import { allowCrossOrigin } from '../../src/http/middleware/cross-origin.ts'
import { outermost } from '../../src/http/middleware/outermost.ts'
import type { LimitVerdict } from '../../src/ports.ts'

interface Env {
  BODY: string
  /** Of the answer, as JSON. */
  HEADERS: string
}

const LIMIT: LimitVerdict = {
  policy: { name: 'reads', limit: 600, windowSeconds: 60 },
  allowed: true,
  remaining: 599,
  resetSeconds: 60,
}

/** All that the middleware asks for, where nobody has failed to say who they are. */
const deps = withoutTheRest({
  limiter: { charge: () => LIMIT, require: async () => LIMIT },
  config: { publicUrl: 'http://127.0.0.1', corsOrigins: [], rateLimits: {} },
  probeSoon() {},
})

let kept: { bytes: Uint8Array<ArrayBuffer>; headers: Record<string, string> } | null = null

const app = new Hono<HttpEnv & { Bindings: Env }>()
app.use('*', async (c, next) => {
  c.set('deps', deps)
  await next()
})
app.use('*', outermost)
app.use('/api/*', allowCrossOrigin)
app.get('/api/v1/static', (c) => {
  kept ??= { bytes: new TextEncoder().encode(c.env.BODY), headers: JSON.parse(c.env.HEADERS) }
  c.set('limit', LIMIT)
  return new Response(kept.bytes, { headers: kept.headers })
})

export default app

/** The middleware of this Worker asks for nothing else. */
function withoutTheRest(
  some: Pick<HttpDeps, 'limiter' | 'probeSoon'> & { config: Partial<HttpDeps['config']> },
): HttpDeps {
  return some as HttpDeps
}
