import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { AppError, invalidRequest, notFound } from '../../errors.ts'
import { readAtMost } from '../../lib/read-body.ts'
import { isStorable, NOT_STORABLE } from '../../lib/text.ts'
import type { HttpEnv } from '../context.ts'
import { addressCaller, assertAllowed, type LimitName, limitPolicy } from '../limits.ts'
import { refuseForeignOrigin } from '../middleware/authenticate.ts'
import { toFieldErrors } from '../openapi.ts'
import { problemResponse } from '../problem.ts'

const MAX_BODY_BYTES = 64 * 1024

/** What is said of a person travels in the session's cookie, of which browsers take four kilobytes. */
const text = (max: number) => z.string().max(max).refine(isStorable, NOT_STORABLE)
const email = z.email('is not an e-mail address').max(320)
/** How long it may be, the rules for passwords say. */
const password = z.string().max(1_000)
const name = text(100).refine((value) => value.trim() !== '', 'must not be empty')
const token = z.string().min(1).max(1_000)
const nothing = z.object({})

interface Entry {
  method: 'GET' | 'POST'
  /** Of the body or, for GET, of the query. What else is sent goes no further. */
  takes: z.ZodObject
  /** Which allowance a request spends, of its address and of the e-mail that it names. */
  limit?: LimitName
  /** Whether it is of no use where no mail can be sent. */
  mails?: true
}

/** Everything that is served of the sign-in library. The rest of it is not there. */
const SERVED: Readonly<Record<string, Entry>> = {
  '/auth/sign-up/email': {
    method: 'POST',
    limit: 'sign-up',
    takes: z.object({
      ...{ name, email, password, image: text(500).nullish(), rememberMe: z.boolean().optional() },
      invitation: z.string().max(200).nullish(),
    }),
  },
  '/auth/sign-in/email': {
    method: 'POST',
    limit: 'sign-in',
    takes: z.object({ email, password, rememberMe: z.boolean().optional() }),
  },
  '/auth/sign-out': { method: 'POST', takes: nothing },
  '/auth/get-session': { method: 'GET', takes: nothing },
  '/auth/list-sessions': { method: 'GET', takes: nothing },
  '/auth/revoke-session': { method: 'POST', takes: z.object({ token }) },
  '/auth/revoke-sessions': { method: 'POST', takes: nothing },
  '/auth/revoke-other-sessions': { method: 'POST', takes: nothing },
  '/auth/update-user': { method: 'POST', takes: z.object({ name }) },
  // Whoever sits at somebody's open session guesses here as well.
  '/auth/change-password': {
    method: 'POST',
    limit: 'sign-in',
    takes: z.object({
      ...{ currentPassword: password, newPassword: password, revokeOtherSessions: z.boolean().optional() },
    }),
  },
  '/auth/request-password-reset': { method: 'POST', limit: 'mails', mails: true, takes: z.object({ email }) },
  '/auth/reset-password': { method: 'POST', takes: z.object({ token, newPassword: password }) },
  '/auth/send-verification-email': {
    method: 'POST',
    limit: 'mails',
    mails: true,
    takes: z.object({ email }),
  },
  '/auth/verify-email': { method: 'GET', takes: z.object({ token }) },
}

/** The paths that people sign up, sign in and look after their access by. */
export const peopleRoutes = new Hono<HttpEnv>().all('/auth/*', async (c) => {
  const { deps } = c.var
  const entry = Object.hasOwn(SERVED, c.req.path) ? SERVED[c.req.path] : undefined
  if (entry === undefined) throw notFound(`page as ${c.req.path}`)
  if (c.req.method !== entry.method) return refuseMethod(c, entry)
  if (entry.method === 'POST') refuseForeignOrigin(c)
  if (entry.mails && deps.services.mailer === null)
    throw new AppError('unavailable', 'This deployment cannot send mail. Ask an operator.', {
      retryable: false,
    })
  await charge(c, entry, addressCaller(c.req.raw.headers))
  const given = entry.takes.safeParse(entry.method === 'GET' ? c.req.query() : await readJson(c))
  if (!given.success)
    throw invalidRequest(toFieldErrors(given.error.issues, entry.method === 'GET' ? '/query' : ''))
  const address = z.object({ email }).safeParse(given.data).data?.email.toLowerCase() ?? null
  if (address !== null && entry.limit !== 'sign-up') await charge(c, entry, `email:${address}`)
  const auth = await deps.auth()
  const request = ownRequest(c, entry, given.data)
  if (c.req.path !== '/auth/sign-up/email' || address === null) return auth.handle(request)
  const { invitation } = z.object({ invitation: z.string().nullish() }).parse(given.data)
  await (await deps.people()).admit(address, invitation ?? null)
  try {
    return await auth.handle(request)
  } catch (error) {
    if (error instanceof AppError && error.code === 'signup_refused') await remind(c, address)
    throw error
  }
})

async function charge(c: Context<HttpEnv>, { limit }: Entry, caller: string): Promise<void> {
  if (limit === undefined) return
  const { deps } = c.var
  const verdict = await deps.limiter.require(limitPolicy(deps, limit), caller)
  c.set('limit', verdict)
  assertAllowed(verdict)
}

/** Whoever has an account is told of it, as often as they may be sent any mail. */
async function remind(c: Context<HttpEnv>, address: string): Promise<void> {
  const { deps } = c.var
  const verdict = await deps.limiter.require(limitPolicy(deps, 'mails'), `email:${address}`)
  if (verdict.allowed) (await deps.people()).sendReminder(address)
}

async function readJson(c: Context<HttpEnv>): Promise<unknown> {
  const body = await readAtMost(c.req.raw.body, MAX_BODY_BYTES)
  if (body === null) throw new AppError('payload_too_large', 'The body is too large.')
  if (body.size === 0) return {}
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  try {
    const json: unknown = JSON.parse(await body.text())
    return json
  } catch {
    throw invalidRequest([{ pointer: '', detail: 'The body is not valid JSON.' }])
  }
}

/**
 * What the sign-in library gets: what was checked, and no other address to send people to. It insists on an
 * origin; where the request came from was looked at before.
 */
function ownRequest(c: Context<HttpEnv>, { method }: Entry, given: Record<string, unknown>): Request {
  const url = new URL(c.req.url)
  url.search =
    method === 'GET'
      ? new URLSearchParams(Object.entries(given).map(([key, value]) => [key, String(value)])).toString()
      : ''
  const headers = new Headers(c.req.raw.headers)
  headers.set('x-request-id', c.var.requestId)
  if (method === 'GET') return new Request(url, { headers })
  headers.set('origin', new URL(c.var.deps.config.publicUrl).origin)
  headers.set('content-type', 'application/json')
  headers.delete('content-length')
  headers.delete('referer')
  return new Request(url, { method, headers, body: JSON.stringify(given) })
}

function refuseMethod(c: Context<HttpEnv>, { method }: Entry): Response {
  const allow = { allow: `OPTIONS, ${method}` }
  if (c.req.method === 'OPTIONS') return c.body(null, 204, allow)
  const error = new AppError('method_not_allowed', `${c.req.method} is not available here.`)
  const refusal = problemResponse(error, { url: c.req.url, requestId: c.var.requestId })
  refusal.headers.set('allow', allow.allow)
  return refusal
}
