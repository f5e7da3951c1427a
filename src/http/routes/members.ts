import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { createCursorCodec } from '../../lib/cursor.ts'
import { changeMember, listMembersPage, removeMember } from '../../services/access/members.ts'
import { Member, UpdateMember } from '../../services/access/schemas.ts'
import { ownWorkspace } from '../middleware/own-workspace.ts'
import { createApi, idParameter, json, jsonBody, page, paging, problems } from '../openapi.ts'

const MemberDocument = Member.openapi('Member')
const memberParameters = idParameter.extend({ userId: z.string() })
const tags = ['Workspaces']

const listRoute = createRoute({
  method: 'get',
  path: '/workspaces/{id}/members',
  tags,
  'x-permission': 'members.manage',
  summary: 'Members, whoever came first first',
  request: { params: idParameter, query: z.strictObject(paging) },
  responses: { 200: json(page(MemberDocument), 'A page of members'), ...problems(400, 403, 404) },
})

const changeRoute = createRoute({
  method: 'patch',
  path: '/workspaces/{id}/members/{userId}',
  tags,
  'x-permission': 'members.manage',
  summary: 'Change what a member may do, or which brands they see',
  description:
    'With rights go the API keys and open invitations that rested on them. Nobody gives more than they have; one owner has to stay.',
  request: { params: memberParameters, body: jsonBody(UpdateMember) },
  responses: { 200: json(MemberDocument, 'The member'), ...problems(400, 403, 404, 409, 415) },
})

const removeRoute = createRoute({
  method: 'delete',
  path: '/workspaces/{id}/members/{userId}',
  tags,
  'x-permission': 'members.manage',
  summary: 'Remove a member, or leave',
  description: 'Anybody may leave, but for the last owner. Their API keys and open invitations go with them.',
  request: { params: memberParameters },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404, 409) },
})

const Position = z.object({ joinedAt: z.string(), userId: z.string() })

const api = createApi()
api.use('/workspaces/:id/*', ownWorkspace)

export const memberRoutes = api
  .openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const codec = createCursorCodec(c.var.deps.config.cursorSecret, 'members')
    const after = cursor === undefined ? null : Position.parse(await codec.decode(cursor))
    const { items, next } = await listMembersPage(c.var.ctx, { limit, after })
    const nextCursor =
      next === null ? null : await codec.encode({ joinedAt: next.joinedAt, userId: next.userId })
    return c.json({ items, nextCursor }, 200)
  })
  .openapi(changeRoute, async (c) => {
    const { userId } = c.req.valid('param')
    return c.json(await changeMember(c.var.ctx, userId, c.req.valid('json'), c.var.deps.directory), 200)
  })
  .openapi(removeRoute, async (c) => {
    await removeMember(c.var.ctx, c.req.valid('param').userId, c.var.deps.directory)
    return c.body(null, 204)
  })
