import { APIError, createAuthMiddleware, isAPIError } from 'better-auth/api'
import * as z from 'zod'
import type { AccessChange, PeopleListener, RequestOrigin } from '../../ports.ts'
import { passwordProblem } from './password-rules.ts'
import { passwordRefusal } from './refusals.ts'

export const RESET_EXPIRES_IN_MINUTES = 30

/** What is told of a change of access, by the path that makes it. */
const CHANGES: Readonly<Record<string, AccessChange['kind']>> = {
  '/change-password': 'password.changed',
  '/reset-password': 'password.reset',
  '/revoke-session': 'sessions.ended',
  '/revoke-sessions': 'sessions.ended',
  '/revoke-other-sessions': 'sessions.ended',
  '/sign-out': 'signed_out',
}

const Invited = z.object({ invitation: z.string() })
const Passwords = z.object({ password: z.string().optional(), newPassword: z.string().optional() })
const Named = z
  .object({ email: z.string().catch(''), name: z.string().catch('') })
  .catch({ email: '', name: '' })
const Token = z.object({ token: z.string() })
const Answered = z.object({ user: z.object({ id: z.string() }) })
const EmailToken = z.object({ email: z.string() })

interface EndedSession {
  id: string
  userId: string
}

/** Where our rules, and those who have to be told, come into what the sign-in library does. */
export function createHooks({
  listener,
  operatorEmails,
}: {
  listener: PeopleListener
  operatorEmails: readonly string[]
}) {
  /** Sessions that a request ended. */
  const ended = new WeakMap<Request, EndedSession[]>()
  const endedBy = (request: Request | undefined) => (request && ended.get(request)) ?? []
  /** Whose password a request has set by a link. */
  const resetBy = new WeakMap<Request, string>()

  const before = createAuthMiddleware(async (ctx) => {
    if (ctx.path === '/sign-up/email')
      return refuseWeak('/password', Passwords.parse(ctx.body).password, Named.parse(ctx.body))
    if (ctx.path === '/change-password') {
      const cookie = await ctx.getSignedCookie(ctx.context.authCookies.sessionToken.name, ctx.context.secret)
      const found = cookie ? await ctx.context.internalAdapter.findSession(cookie) : null
      return refuseWeak('/newPassword', Passwords.parse(ctx.body).newPassword, Named.parse(found?.user))
    }
    if (ctx.path === '/reset-password') {
      const token = Token.safeParse(ctx.body).data?.token
      const known =
        token === undefined
          ? null
          : await ctx.context.internalAdapter.findVerificationValue(`reset-password:${token}`)
      const user = known === null ? null : await ctx.context.internalAdapter.findUserById(known.value)
      return refuseWeak('/newPassword', Passwords.parse(ctx.body).newPassword, Named.parse(user))
    }
    if (ctx.path === '/verify-email') {
      // Anybody can sign up with an operator's address, and have the link sent there. It shall not help them
      // that the operator follows it: whoever confirms such an address has to be signed in with it.
      const email = emailOf(ctx.query?.token)
      if (email === null || !operatorEmails.includes(email)) return
      const cookie = await ctx.getSignedCookie(ctx.context.authCookies.sessionToken.name, ctx.context.secret)
      const found = cookie ? await ctx.context.internalAdapter.findSession(cookie) : null
      if (found?.user.email.toLowerCase() !== email)
        throw new APIError('UNAUTHORIZED', { code: 'UNAUTHORIZED', message: 'Sign in first.' })
    }
  })

  const after = createAuthMiddleware(async (ctx) => {
    if (isAPIError(ctx.context.returned)) return
    const origin = originOf(ctx.headers)
    const created = ctx.context.newSession
    if (ctx.path === '/sign-in/email' && created) {
      const { id, email, name } = created.user
      return listener.signedIn({ id, email, name })
    }
    if (ctx.path === '/sign-up/email' && created) {
      const { id, email, name } = created.user
      const invitation = Invited.safeParse(ctx.body).data?.invitation ?? null
      try {
        await listener.signedUp({ id, email, name }, invitation, origin)
      } catch (error) {
        // Nobody half: they shall be able to try again.
        await ctx.context.internalAdapter.deleteUserSessions(id)
        await ctx.context.internalAdapter.deleteUser(id)
        throw error
      }
      return
    }
    const kind = CHANGES[ctx.path]
    if (kind === undefined) return
    const sessions = endedBy(ctx.request)
    const userId =
      sessions[0]?.userId ??
      (ctx.request && resetBy.get(ctx.request)) ??
      Answered.safeParse(ctx.context.returned).data?.user.id
    // Without either nothing has changed: the session to end was none.
    if (userId === undefined) return
    if (kind === 'password.changed' || kind === 'password.reset')
      // Links that were asked for before would set another one.
      await ctx.context.adapter.deleteMany({
        model: 'verification',
        where: [{ field: 'value', value: userId }],
      })
    await listener.accessChanged(userId, { kind, sessionsEnded: sessions.length }, origin)
  })

  return {
    hooks: { before, after },
    databaseHooks: {
      session: {
        delete: {
          after: async (session: EndedSession, ctx: { request?: Request | undefined } | null) => {
            await listener.sessionEnded(session.id)
            const request = ctx?.request
            if (request) ended.set(request, [...endedBy(request), session])
          },
        },
      },
    },
    onPasswordReset: async ({ user }: { user: { id: string } }, request?: Request) => {
      if (request) resetBy.set(request, user.id)
    },
  }
}

function refuseWeak(
  pointer: string,
  password: string | undefined,
  person: { email: string; name: string },
): void {
  if (password === undefined) return
  const problem = passwordProblem(password, person)
  if (problem !== null) throw new APIError('BAD_REQUEST', passwordRefusal(pointer, problem))
}

function originOf(headers: Headers | undefined): RequestOrigin {
  return {
    ip: headers?.get('cf-connecting-ip') ?? null,
    userAgent: headers?.get('user-agent')?.slice(0, 300) ?? null,
    requestId: headers?.get('x-request-id') ?? 'unknown',
  }
}

/** Whose address a link would confirm, in lower case; whether the link is good, the library says. */
function emailOf(token: unknown): string | null {
  const payload = typeof token === 'string' ? token.split('.')[1] : undefined
  if (payload === undefined) return null
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    return EmailToken.parse(JSON.parse(text)).email.toLowerCase()
  } catch {
    return null
  }
}
