import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import {
  CreateWorkspace,
  TransferWorkspace,
  UpdateWorkspace,
  WorkspaceSummary,
} from '../../services/access/schemas.ts'
import { transferWorkspace } from '../../services/access/transfer-workspace.ts'
import { createWorkspace, updateWorkspace } from '../../services/access/workspaces.ts'
import { ownWorkspace } from '../middleware/own-workspace.ts'
import { createApi, idParameter, json, jsonBody, page, problems } from '../openapi.ts'

const WorkspaceDocument = WorkspaceSummary.openapi('Workspace')
const tags = ['Workspaces']

const listRoute = createRoute({
  method: 'get',
  path: '/workspaces',
  tags,
  'x-permission': 'any',
  summary: "One's workspaces, whichever was joined first first",
  description: 'For an API key, the one that it belongs to.',
  request: { query: z.strictObject({}) },
  responses: { 200: json(page(WorkspaceDocument), 'All of them'), ...problems(400) },
})

const createWorkspaceRoute = createRoute({
  method: 'post',
  path: '/workspaces',
  tags,
  'x-permission': 'workspaces.create',
  summary: "Make another workspace of one's own",
  description: 'A person owns at most 20.',
  request: { body: jsonBody(CreateWorkspace) },
  responses: { 201: json(WorkspaceDocument, 'Made'), ...problems(400, 403, 409, 415) },
})

const updateRoute = createRoute({
  method: 'patch',
  path: '/workspaces/{id}',
  tags,
  'x-permission': 'workspace.write',
  summary: 'Rename a workspace, or move it to another timezone',
  request: { params: idParameter, body: jsonBody(UpdateWorkspace) },
  responses: { 204: { description: 'Changed' }, ...problems(400, 403, 404, 415) },
})

const transferRoute = createRoute({
  method: 'post',
  path: '/workspaces/{id}/transfer',
  tags,
  'x-permission': 'workspace.transfer',
  summary: 'Make another member the owner, and oneself an admin',
  request: { params: idParameter, body: jsonBody(TransferWorkspace) },
  responses: { 204: { description: 'Transferred' }, ...problems(400, 403, 404, 415) },
})

const api = createApi()
api.use('/workspaces/:id/*', ownWorkspace)

export const workspaceRoutes = api
  .openapi(listRoute, (c) => {
    const { ctx, caller } = c.var
    const items =
      caller.user === null
        ? [{ ...ctx.workspace, name: caller.workspaceName, role: null }]
        : caller.workspaces.map(({ workspaceId, ...workspace }) => ({ id: workspaceId, ...workspace }))
    return c.json({ items: items.map((item) => WorkspaceSummary.parse(item)), nextCursor: null }, 200)
  })
  .openapi(createWorkspaceRoute, async (c) => {
    return c.json(await createWorkspace(c.var.ctx, c.req.valid('json'), c.var.deps.directory), 201)
  })
  .openapi(updateRoute, async (c) => {
    const { id } = c.req.valid('param')
    await updateWorkspace(c.var.ctx, id, c.req.valid('json'))
    await c.var.deps.directory.forgetWorkspace(id)
    return c.body(null, 204)
  })
  .openapi(transferRoute, async (c) => {
    await transferWorkspace(c.var.ctx, c.req.valid('json'), c.var.deps.directory)
    return c.body(null, 204)
  })
