import { createMiddleware } from 'hono/factory'
import { invalidRequest } from '../../errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { claimIdempotencyKey, settleIdempotencyKey } from '../../services/idempotency/idempotency.ts'
import type { HttpEnv } from '../context.ts'

const KEPT_HEADERS = ['content-type', 'location']
const MAX_KEY_LENGTH = 200
/** What these answer is shown once and stored nowhere, so there is nothing to repeat. */
const SHOWN_ONCE =
  /^\/api\/v1\/(api-keys|accounts\/authorizations|realtime\/tickets|workspaces\/[^/]+\/invitations)$/

/**
 * A POST that carries `Idempotency-Key` is carried out once: its repeats get the first answer. The body of an
 * import is not compared, since it is streamed: its key stands for it.
 */
export const replayIdempotent = createMiddleware<HttpEnv>(async (c, next) => {
  const key = c.req.header('idempotency-key')
  if (c.req.method !== 'POST' || key === undefined) return next()
  if (key.length === 0 || key.length > MAX_KEY_LENGTH || !/^[\x21-\x7e]+$/.test(key))
    throw invalidRequest([
      { pointer: '/header/idempotency-key', detail: 'must be 1 to 200 visible ASCII characters' },
    ])
  if (SHOWN_ONCE.test(c.req.path)) return next()
  const { ctx, caller } = c.var
  // As it was sent: decoded, it may hold what the database does not take.
  const scope = { workspaceId: ctx.workspace.id, caller: caller.id, path: new URL(c.req.url).pathname, key }
  const text = (await c.req.bodyCache.text) ?? ''
  const claim = await claimIdempotencyKey(
    ctx,
    scope,
    await sha256Hex(`${c.req.url.split('?')[1] ?? ''}\n${text}`),
  )
  if (!claim.first) {
    c.res = new Response(claim.answer.body, {
      status: claim.answer.status,
      headers: { ...claim.answer.headers, 'idempotent-replayed': 'true' },
    })
    return
  }
  await next()
  const headers = Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = c.res.headers.get(name)
      return value === null ? [] : [[name, value]]
    }),
  )
  await settleIdempotencyKey(ctx, scope, { status: c.res.status, headers, body: await c.res.clone().text() })
})
