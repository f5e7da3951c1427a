import { Hono } from 'hono'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import type { HttpEnv } from '../context.ts'
import { assertAllowed, type LimitName, limitPolicy } from '../limits.ts'

const MAX_BODY_BYTES = 64 * 1024
const Credentials = z.object({ email: z.string().max(320) })

/** Which allowance a path of the sign-in library spends. */
const LIMITS: Record<string, LimitName> = {
  '/auth/sign-in/email': 'sign-in',
  '/auth/sign-up/email': 'sign-up',
}

/** Sign-up, sign-in and sign-out, counted by address and by e-mail before a password is looked at. */
export const peopleRoutes = new Hono<HttpEnv>().all('/auth/*', async (c) => {
  const { deps } = c.var
  const name = c.req.method === 'POST' ? LIMITS[c.req.path] : undefined
  if (name !== undefined) {
    if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES)
      throw new AppError('payload_too_large', 'The body is too large.')
    const callers = [`ip:${c.req.header('cf-connecting-ip') ?? 'unknown'}`]
    const body = Credentials.safeParse(
      await c.req.raw
        .clone()
        .json()
        .catch(() => null),
    )
    if (name === 'sign-in' && body.success) callers.push(`email:${body.data.email.trim().toLowerCase()}`)
    for (const caller of callers) {
      const verdict = await deps.limiter.require(limitPolicy(deps, name), caller)
      c.set('limit', verdict)
      assertAllowed(verdict)
    }
  }
  return (await deps.auth()).handle(withOrigin(c.req.raw, deps.config.publicUrl))
})

/**
 * Browsers say with every POST where it comes from, and the sign-in library refuses other sites. What says
 * nothing at all is no browser: no visitor's cookie can be abused through it.
 */
function withOrigin(request: Request, publicUrl: string): Request {
  const { headers } = request
  if (headers.has('origin') || headers.has('sec-fetch-site') || request.method !== 'POST') return request
  const named = new Request(request)
  named.headers.set('origin', new URL(publicUrl).origin)
  return named
}
