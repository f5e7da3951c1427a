import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { AppError, notFound } from '../../errors.ts'
import type { Scope, ServiceContext } from '../../services/context.ts'
import type { Caller, HttpEnv } from '../context.ts'

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
  return {
    ctx: {
      ...deps.services,
      workspace: { id: record.workspaceId, timezone: record.timezone },
      actor: { kind: 'apiKey', keyId: record.id, scopes: record.scopes as Scope[] },
      requestId: c.get('requestId'),
    },
    caller: {
      id: `key:${record.id}`,
      user: null,
      apiKey: { id: record.id, name: record.name },
      workspaceName: record.workspaceName,
      setCookies: [],
    },
  }
}

async function bySession(c: Context<HttpEnv>): Promise<{ ctx: ServiceContext; caller: Caller }> {
  const deps = c.get('deps')
  const headers = c.req.raw.headers
  let user = await deps.readSession(headers)
  let setCookies: string[] = []
  if (user === null && headers.get('cookie')?.includes('tidemark') === true) {
    const session = await (await deps.auth()).session(headers)
    user = session?.user ?? null
    setCookies = session?.setCookies ?? []
  }
  if (user === null) throw new AppError('unauthorized', 'Sign in, or send an API key.')
  if (!SAFE.has(c.req.method)) refuseForeignOrigin(c)
  const workspaces = await deps.directory.workspacesOf(user.id)
  const wanted = c.req.header('x-workspace-id')
  const workspace = wanted === undefined ? workspaces[0] : workspaces.find((w) => w.workspaceId === wanted)
  if (workspace === undefined) throw notFound('workspace')
  return {
    ctx: {
      ...deps.services,
      workspace: { id: workspace.workspaceId, timezone: workspace.timezone },
      actor: { kind: 'user', userId: user.id, role: workspace.role },
      requestId: c.get('requestId'),
    },
    caller: { id: `user:${user.id}`, user, apiKey: null, workspaceName: workspace.name, setCookies },
  }
}

/** Another site's page cannot write with our visitor's cookie: browsers say where a request comes from. */
function refuseForeignOrigin(c: Context<HttpEnv>): void {
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
