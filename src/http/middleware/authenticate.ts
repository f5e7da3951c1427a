import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { AppError, notFound } from '../../errors.ts'
import type { Person } from '../../services/access/identify.ts'
import type { Scope, ServiceContext } from '../../services/context.ts'
import type { Caller, HttpDeps, HttpEnv } from '../context.ts'
import { contextIn, findSignedIn, isNamedOperator, originOf, type SignedIn } from '../signed-in.ts'

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
      standing: record,
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
  const signedIn = await findSignedIn(c)
  if (signedIn === null) throw new AppError('unauthorized', 'Sign in, or send an API key.')
  if (!SAFE.has(c.req.method)) refuseForeignOrigin(c)
  const { session, setCookies } = signedIn
  const { id: sessionId, user } = session
  const person = await withWorkspace(deps, signedIn)
  if (person === null) throw new AppError('unauthorized', 'Sign in, or send an API key.')
  const wanted = c.req.header('x-workspace-id') ?? workspaceOfPath(c.req.path)
  const workspace =
    wanted === undefined
      ? person.workspaces[0]
      : person.workspaces.find(({ workspaceId }) => workspaceId === wanted)
  if (workspace === undefined) throw notFound('workspace')
  return {
    ctx: contextIn(c, { ...signedIn, person }, workspace),
    caller: {
      id: `user:${user.id}`,
      standing: person,
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
async function withWorkspace(deps: HttpDeps, { session, person }: SignedIn): Promise<Person | null> {
  if (person.workspaces.length > 0) return person
  await deps.directory.welcome(session.user)
  return deps.directory.person(session.user.id, session.id)
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
