import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { createCursorCodec } from '../../lib/cursor.ts'
import {
  acceptInvitation,
  createInvitation,
  getInvitationPreview,
  listInvitationsPage,
  withdrawInvitation,
} from '../../services/access/invitations.ts'
import {
  CreatedInvitation,
  CreateInvitation,
  Invitation,
  InvitationPreview,
  InvitationToken,
} from '../../services/access/schemas.ts'
import { boundBody } from '../middleware/bodies.ts'
import { ownWorkspace } from '../middleware/own-workspace.ts'
import { createApi, idParameter, json, jsonBody, page, paging, problems } from '../openapi.ts'

const tags = ['Workspaces']

const createInvitationRoute = createRoute({
  method: 'post',
  path: '/workspaces/{id}/invitations',
  tags,
  'x-permission': 'members.manage',
  summary: 'Invite somebody; the link is shown this once',
  description:
    'It is good for one person, and for that e-mail address alone where one is named; then it is mailed as well, if the deployment sends mail. A workspace has at most 100 open ones.',
  request: { params: idParameter, body: jsonBody(CreateInvitation) },
  responses: { 201: json(CreatedInvitation, 'Made'), ...problems(400, 403, 404, 409, 415) },
})

const listRoute = createRoute({
  method: 'get',
  path: '/workspaces/{id}/invitations',
  tags,
  'x-permission': 'members.manage',
  summary: 'Invitations and what became of them, the newest first',
  request: { params: idParameter, query: z.strictObject(paging) },
  responses: {
    200: json(page(Invitation.openapi('Invitation')), 'A page of invitations'),
    ...problems(400, 403, 404),
  },
})

const withdrawRoute = createRoute({
  method: 'delete',
  path: '/workspaces/{id}/invitations/{invitationId}',
  tags,
  'x-permission': 'members.manage',
  summary: 'Make an invitation worthless',
  request: { params: idParameter.extend({ invitationId: z.string() }) },
  responses: { 204: { description: 'Withdrawn' }, ...problems(403, 404, 409) },
})

const acceptRoute = createRoute({
  method: 'post',
  path: '/invitations/accept',
  tags,
  'x-permission': 'any',
  summary: 'Become a member by a link',
  description: 'For people. Done again by the same person, it answers the same.',
  request: { body: jsonBody(InvitationToken) },
  responses: {
    200: json(z.object({ workspaceId: z.string() }), 'Which workspace it is'),
    ...problems(400, 403, 404, 410, 415),
  },
})

const previewRoute = createRoute({
  method: 'post',
  path: '/public/invitations/preview',
  tags,
  'x-permission': 'public',
  security: [],
  summary: 'What a link says, to whoever has it',
  request: { body: jsonBody(InvitationToken) },
  responses: { 200: json(InvitationPreview, 'The invitation'), ...problems(400, 404, 415) },
})

const api = createApi()
api.use('/workspaces/:id/*', ownWorkspace)

export const invitationRoutes = api
  .openapi(createInvitationRoute, async (c) => {
    return c.json(await createInvitation(c.var.ctx, c.req.valid('json')), 201)
  })
  .openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const codec = createCursorCodec(c.var.deps.config.cursorSecret, 'invitations')
    const before = cursor === undefined ? null : z.uuid().parse(await codec.decode(cursor))
    const { items, next } = await listInvitationsPage(c.var.ctx, { limit, before })
    return c.json({ items, nextCursor: next === null ? null : await codec.encode(next) }, 200)
  })
  .openapi(withdrawRoute, async (c) => {
    await withdrawInvitation(c.var.ctx, c.req.valid('param').invitationId)
    return c.body(null, 204)
  })
  .openapi(acceptRoute, async (c) => {
    return c.json(await acceptInvitation(c.var.ctx, c.req.valid('json').token, c.var.deps.directory), 200)
  })

const publicApi = createApi()
publicApi.use('/public/invitations/*', boundBody)

/** Served before anybody is asked who they are; see `chargeAddress`. */
export const publicInvitationRoutes = publicApi.openapi(previewRoute, async (c) => {
  const answer = await getInvitationPreview(c.var.deps.services, c.req.valid('json').token)
  return c.json(answer, 200, { 'cache-control': 'private, no-store' })
})
