import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'
import { createCursorCodec } from '../../lib/cursor.ts'
import { createApiKey, listApiKeysPage, removeApiKey } from '../../services/access/api-keys.ts'
import { brandsOf } from '../../services/access/reach.ts'
import { ApiKey, CreateApiKey, CreatedApiKey } from '../../services/access/schemas.ts'
import { permissionsOf, scopesOf } from '../../services/permissions.ts'
import { limitPolicies } from '../limits.ts'
import { createApi, idParameter, json, jsonBody, page, paging, problems } from '../openapi.ts'

const tags = ['Access']

const Me = z
  .object({
    kind: z.enum(['user', 'apiKey']),
    user: z
      .object({ id: z.string(), email: z.string(), name: z.string(), emailVerified: z.boolean() })
      .nullable(),
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
    /** Brands whose accounts alone the caller sees here; `null`: all. */
    brands: z.array(z.string()).nullable(),
    scopes: z.array(z.string()),
    /** What the caller may do here, by name. */
    permissions: z.array(z.string()),
    operator: z.boolean(),
    /** Platforms whose accounts can be connected here; of the others, posts can be imported. */
    connectable: z.array(z.enum(PLATFORMS)),
    limits: z.array(z.object({ name: z.string(), limit: z.number().int(), windowSeconds: z.number().int() })),
  })
  .openapi('Me')

const meRoute = createRoute({
  method: 'get',
  path: '/me',
  tags,
  'x-permission': 'any',
  summary: 'Who is asking, and what they may do',
  responses: { 200: json(Me, 'The caller'), ...problems() },
})

const createKeyRoute = createRoute({
  method: 'post',
  path: '/api-keys',
  tags,
  'x-permission': 'keys.manage',
  summary: 'Make an API key; it is shown this once',
  request: { body: jsonBody(CreateApiKey) },
  responses: { 201: json(CreatedApiKey, 'Made'), ...problems(400, 403, 415) },
})

const listKeysRoute = createRoute({
  method: 'get',
  path: '/api-keys',
  tags,
  'x-permission': 'keys.manage',
  summary: 'API keys of the workspace, the newest first',
  request: { query: z.strictObject(paging) },
  responses: { 200: json(page(ApiKey.openapi('ApiKey')), 'A page of keys'), ...problems(400, 403) },
})

const revokeKeyRoute = createRoute({
  method: 'delete',
  path: '/api-keys/{id}',
  tags,
  'x-permission': 'keys.manage',
  summary: 'Revoke an API key; its live connections end',
  request: { params: idParameter },
  responses: { 204: { description: 'Revoked' }, ...problems(403, 404) },
})

export const accessRoutes = createApi()
  .openapi(meRoute, async (c) => {
    const { deps, ctx, caller } = c.var
    const brands = brandsOf(ctx.actor)
    const connectors = await ctx.connectors()
    return c.json(
      {
        kind: caller.user === null ? ('apiKey' as const) : ('user' as const),
        user: caller.user === null ? null : { ...caller.user, emailVerified: caller.emailVerified },
        apiKey: caller.apiKey,
        workspace: {
          id: ctx.workspace.id,
          name: caller.workspaceName,
          timezone: ctx.workspace.timezone,
          role: ctx.actor.kind === 'user' ? ctx.actor.role : null,
        },
        workspaces: caller.workspaces.map(({ workspaceId, name, timezone, role }) => ({
          id: workspaceId,
          name,
          timezone,
          role,
        })),
        brands: brands === null ? null : [...brands],
        scopes: [...scopesOf(ctx.actor)],
        permissions: permissionsOf(ctx.actor),
        operator: scopesOf(ctx.actor).includes('operator'),
        connectable: PLATFORMS.filter((platform) => connectors[platform] !== undefined),
        limits: limitPolicies(deps),
      },
      200,
    )
  })
  .openapi(createKeyRoute, async (c) => {
    return c.json(await createApiKey(c.var.ctx, c.req.valid('json')), 201)
  })
  .openapi(listKeysRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const codec = createCursorCodec(c.var.deps.config.cursorSecret, 'api-keys')
    const before = cursor === undefined ? null : z.uuid().parse(await codec.decode(cursor))
    const { items, next } = await listApiKeysPage(c.var.ctx, { limit, before })
    return c.json({ items, nextCursor: next === null ? null : await codec.encode(next) }, 200)
  })
  .openapi(revokeKeyRoute, async (c) => {
    await removeApiKey(c.var.ctx, c.req.valid('param').id, c.var.deps.directory)
    return c.body(null, 204)
  })
