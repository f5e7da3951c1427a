import { createRoute, z } from '@hono/zod-openapi'
import { createApiKey, getApiKeys, removeApiKey } from '../../services/access/api-keys.ts'
import { ApiKey, CreateApiKey, CreatedApiKey, UpdateWorkspace } from '../../services/access/schemas.ts'
import { updateWorkspace } from '../../services/access/workspaces.ts'
import { scopesOf } from '../../services/scope.ts'
import type { Caller, HttpDeps } from '../context.ts'
import { limitPolicies } from '../limits.ts'
import { createApi, idParameter, json, jsonBody, page, problems } from '../openapi.ts'

const tags = ['Access']

const Me = z
  .object({
    kind: z.enum(['user', 'apiKey']),
    user: z.object({ id: z.string(), email: z.string(), name: z.string() }).nullable(),
    apiKey: z.object({ id: z.string(), name: z.string() }).nullable(),
    workspace: z.object({
      id: z.string(),
      name: z.string(),
      timezone: z.string(),
      role: z.string().nullable(),
    }),
    workspaces: z.array(
      z.object({ id: z.string(), name: z.string(), timezone: z.string(), role: z.string() }),
    ),
    scopes: z.array(z.string()),
    operator: z.boolean(),
    limits: z.array(z.object({ name: z.string(), limit: z.number().int(), windowSeconds: z.number().int() })),
  })
  .openapi('Me')

const meRoute = createRoute({
  method: 'get',
  path: '/me',
  tags,
  summary: 'Who is asking, and what they may do',
  responses: { 200: json(Me, 'The caller'), ...problems() },
})

const createKeyRoute = createRoute({
  method: 'post',
  path: '/api-keys',
  tags,
  summary: 'Make an API key; it is shown this once',
  request: { body: jsonBody(CreateApiKey) },
  responses: { 201: json(CreatedApiKey, 'Made'), ...problems(400, 403, 415) },
})

const listKeysRoute = createRoute({
  method: 'get',
  path: '/api-keys',
  tags,
  summary: 'API keys of the workspace',
  responses: { 200: json(page(ApiKey.openapi('ApiKey')), 'The keys'), ...problems(403) },
})

const revokeKeyRoute = createRoute({
  method: 'delete',
  path: '/api-keys/{id}',
  tags,
  summary: 'Revoke an API key',
  request: { params: idParameter },
  responses: { 204: { description: 'Revoked' }, ...problems(403, 404) },
})

const updateWorkspaceRoute = createRoute({
  method: 'patch',
  path: '/workspaces/{id}',
  tags,
  summary: 'Rename a workspace, or move it to another timezone',
  request: { params: idParameter, body: jsonBody(UpdateWorkspace) },
  responses: { 204: { description: 'Changed' }, ...problems(400, 403, 404, 415) },
})

/** Operators run the deployment: whoever signed up first, and those named in its configuration. */
async function isOperator(deps: HttpDeps, caller: Caller): Promise<boolean> {
  if (caller.user === null) return false
  return (
    deps.config.operatorEmails.includes(caller.user.email) ||
    (await deps.directory.isFirstUser(caller.user.id))
  )
}

export const accessRoutes = createApi()
  .openapi(meRoute, async (c) => {
    const { deps, ctx, caller } = c.var
    const workspaces = caller.user === null ? [] : await deps.directory.workspacesOf(caller.user.id)
    const operator =
      ctx.actor.kind === 'apiKey' ? ctx.actor.scopes.includes('operator') : await isOperator(deps, caller)
    return c.json(
      {
        kind: caller.user === null ? ('apiKey' as const) : ('user' as const),
        user: caller.user,
        apiKey: caller.apiKey,
        workspace: {
          id: ctx.workspace.id,
          name: caller.workspaceName,
          timezone: ctx.workspace.timezone,
          role: ctx.actor.kind === 'user' ? ctx.actor.role : null,
        },
        workspaces: workspaces.map(({ workspaceId, name, timezone, role }) => ({
          id: workspaceId,
          name,
          timezone,
          role,
        })),
        scopes: [...scopesOf(ctx.actor)],
        operator,
        limits: limitPolicies(deps),
      },
      200,
    )
  })
  .openapi(createKeyRoute, async (c) => {
    const { deps, ctx, caller } = c.var
    return c.json(await createApiKey(ctx, c.req.valid('json'), await isOperator(deps, caller)), 201)
  })
  .openapi(listKeysRoute, async (c) => c.json({ items: await getApiKeys(c.var.ctx), nextCursor: null }, 200))
  .openapi(revokeKeyRoute, async (c) => {
    await removeApiKey(c.var.ctx, c.req.valid('param').id, c.var.deps.directory)
    return c.body(null, 204)
  })
  .openapi(updateWorkspaceRoute, async (c) => {
    await updateWorkspace(c.var.ctx, c.req.valid('param').id, c.req.valid('json'))
    const { user } = c.var.caller
    if (user !== null) c.var.deps.directory.forgetUser(user.id)
    return c.body(null, 204)
  })
