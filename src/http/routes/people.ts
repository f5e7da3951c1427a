import { Hono } from 'hono'
import { z } from 'zod'
import { AppError, invalidRequest } from '../../errors.ts'
import { readAtMost } from '../../lib/read-body.ts'
import { isStorable, NOT_STORABLE } from '../../lib/text.ts'
import type { HttpEnv } from '../context.ts'
import { assertAllowed, type LimitName, limitPolicy } from '../limits.ts'
import { toFieldErrors } from '../openapi.ts'

const MAX_BODY_BYTES = 64 * 1024

/** What is said of a person travels in the session's cookie, of which browsers take four kilobytes. */
const text = (max: number) => z.string().max(max).refine(isStorable, NOT_STORABLE).nullish()
const Person = z.looseObject({ email: text(320), name: text(100), image: text(500) })

/** Which allowance a path of the sign-in library spends. */
const LIMITS: Record<string, LimitName> = {
  '/auth/sign-in/email': 'sign-in',
  '/auth/sign-up/email': 'sign-up',
}

/** Sign-up, sign-in and sign-out, counted by address and by e-mail before a password is looked at. */
export const peopleRoutes = new Hono<HttpEnv>().all('/auth/*', async (c) => {
  const { deps } = c.var
  const { raw, method, path } = c.req
  if (method !== 'POST') return (await deps.auth()).handle(raw)
  const body = await readAtMost(raw.body, MAX_BODY_BYTES)
  if (body === null) throw new AppError('payload_too_large', 'The body is too large.')
  const json = await body.text()
  const person = Person.safeParse(parseJson(json))
  const name = LIMITS[path]
  if (name !== undefined) {
    const callers = [`ip:${c.req.header('cf-connecting-ip') ?? 'unknown'}`]
    const email = person.data?.email
    if (name === 'sign-in' && email != null) callers.push(`email:${email.trim().toLowerCase()}`)
    for (const caller of callers) {
      const verdict = await deps.limiter.require(limitPolicy(deps, name), caller)
      c.set('limit', verdict)
      assertAllowed(verdict)
    }
  }
  if (!person.success) throw invalidRequest(toFieldErrors(person.error.issues, ''))
  return (await deps.auth()).handle(withOrigin(raw, json, deps.config.publicUrl))
})

/** `{}` where it is none: the sign-in library says what it misses. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/**
 * Browsers say with every POST where it comes from, and the sign-in library refuses other sites. What says
 * nothing at all is no browser: no visitor's cookie can be abused through it.
 */
function withOrigin(request: Request, body: string, publicUrl: string): Request {
  const headers = new Headers(request.headers)
  if (!headers.has('origin') && !headers.has('sec-fetch-site'))
    headers.set('origin', new URL(publicUrl).origin)
  return new Request(request.url, { method: request.method, headers, body: body === '' ? null : body })
}
