import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { AppError, notFound } from '../../errors.ts'
import type { Session } from '../../ports.ts'
import type { Person } from '../../services/access/identify.ts'
import { dbWithinReach } from '../../services/access/reach.ts'
import type { Actor, Scope, ServiceContext } from '../../services/context.ts'
import type { Caller, HttpDeps, HttpEnv } from '../context.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Finds out who asks, by API key or by session cookie, and for which workspace. A cached key or a signed
 * cookie costs no round trip.
 */
export const authenticate = createMiddleware<HttpEnv>(async (c, next) => {
  const authorization = c.req.header('authorization')
  const found = authorization === undefined ? await bySession(c) : await byKey(c, authorization)
  c.set('ctx', found.ctx)
  c.set('caller', found.caller)
  await next()
  for (const cookie of found.caller.setCookies) c.res.headers.append('set-cookie', cookie)
})

async function byKey(
  c: Context<HttpEnv>,
  authorization: string,
): Promise<{ ctx: ServiceContext; caller: Caller }> {
  const deps = c.get('deps')
  const key = /^Bearer (\S+)$/i.exec(authorization)?.[1]
  const record = key === undefined ? null : await deps.directory.apiKey(key)
  if (record === null) throw new AppError('unauthorized', 'This API key is not valid, or no longer.')
  const wanted = c.req.header('x-workspace-id')
  // A key belongs to one workspace; what it cannot see does not exist for it.
  if (wanted !== undefined && wanted !== record.workspaceId) throw notFound('workspace')
  const operates = record.creatorOperates || isNamedOperator(deps, record.creatorEmail)
  const scopes = (record.scopes as Scope[]).filter((scope) => scope !== 'operator' || operates)
  return {
    ctx: {
      ...deps.services,
      workspace: { id: record.workspaceId, timezone: record.timezone },
      actor: { kind: 'apiKey', keyId: record.id, name: record.name, scopes },
      requestId: c.get('requestId'),
      origin: originOf(c),
    },
    caller: {
      id: `key:${record.id}`,
      user: null,
      sessionId: null,
      emailVerified: false,
      workspaces: [],
      apiKey: { id: record.id, name: record.name },
      ownLimits: { reads: record.readsPerMinute, writes: record.writesPerMinute },
      workspaceName: record.workspaceName,
      setCookies: [],
    },
  }
}

async function bySession(c: Context<HttpEnv>): Promise<{ ctx: ServiceContext; caller: Caller }> {
  const deps = c.get('deps')
  const headers = c.req.raw.headers
  let session: Session | null = await deps.readSession(headers)
  let setCookies: string[] = []
  if (session === null && headers.get('cookie')?.includes('tidemark') === true) {
    const renewed = await (await deps.auth()).session(headers)
    session = renewed
    setCookies = renewed?.setCookies ?? []
  }
  // The cookie is believed for minutes; whether its session was ended meanwhile, for seconds.
  const person = session === null ? null : await personOf(deps, session)
  if (session === null || person === null) throw new AppError('unauthorized', 'Sign in, or send an API key.')
  if (!SAFE.has(c.req.method)) refuseForeignOrigin(c)
  const { id: sessionId, user } = session
  const wanted = c.req.header('x-workspace-id') ?? workspaceOfPath(c.req.path)
  const workspace =
    wanted === undefined
      ? person.workspaces[0]
      : person.workspaces.find(({ workspaceId }) => workspaceId === wanted)
  if (workspace === undefined) throw notFound('workspace')
  const actor: Actor = {
    kind: 'user',
    userId: user.id,
    email: user.email,
    role: workspace.role,
    brands: workspace.brands,
    operator: person.operator || isNamedOperator(deps, person.emailVerified ? user.email : null),
  }
  return {
    ctx: {
      ...deps.services,
      db: dbWithinReach(deps.services.db, actor),
      workspace: { id: workspace.workspaceId, timezone: workspace.timezone },
      actor,
      requestId: c.get('requestId'),
      origin: originOf(c),
    },
    caller: {
      id: `user:${user.id}`,
      user,
      sessionId,
      emailVerified: person.emailVerified,
      workspaces: person.workspaces,
      apiKey: null,
      ownLimits: { reads: null, writes: null },
      workspaceName: workspace.name,
      setCookies,
    },
  }
}

/** `/workspaces/{id}/…` says by itself which of one's workspaces is meant. */
function workspaceOfPath(path: string): string | undefined {
  return /^\/api\/v1\/workspaces\/([^/]+)/.exec(path)?.[1]
}

/** Whoever has left their last workspace, or was removed from it, is given one of their own. */
async function personOf(deps: HttpDeps, { id, user }: Session): Promise<Person | null> {
  const person = await deps.directory.person(user.id, id)
  if (person === null || person.workspaces.length > 0) return person
  await deps.directory.welcome(user)
  return deps.directory.person(user.id, id)
}

/** `OPERATOR_EMAILS` count once they are verified: anybody may claim an address. */
function isNamedOperator(deps: HttpDeps, verifiedEmail: string | null): boolean {
  return verifiedEmail !== null && deps.config.operatorEmails.includes(verifiedEmail.toLowerCase())
}

function originOf(c: Context<HttpEnv>): ServiceContext['origin'] {
  return {
    ip: c.req.header('cf-connecting-ip') ?? null,
    userAgent: c.req.header('user-agent')?.slice(0, 300) ?? null,
  }
}

/** Another site's page cannot write with our visitor's cookie: browsers say where a request comes from. */
export function refuseForeignOrigin(c: Context<HttpEnv>): void {
  const { publicUrl, corsOrigins } = c.get('deps').config
  const origin = c.req.header('origin')
  const site = c.req.header('sec-fetch-site')
  const own = new URL(c.req.url).origin
  const foreign =
    origin !== undefined
      ? origin !== own && origin !== new URL(publicUrl).origin && !corsOrigins.includes(origin)
      : site !== undefined && site !== 'same-origin' && site !== 'none'
  if (foreign)
    throw new AppError(
      'insufficient_scope',
      'Writes with a session cookie are taken from our own pages alone.',
    )
}
