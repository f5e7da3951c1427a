import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { createCursorCodec } from '../../lib/cursor.ts'
import { cancelJob, getJob, listJobs } from '../../services/jobs/index.ts'
import { Job } from '../../services/jobs/schemas.ts'
import { createApi, idParameter, json, page, paging, problems } from '../openapi.ts'

const JobDocument = Job.openapi('Job')
const tags = ['Jobs']

const listRoute = createRoute({
  method: 'get',
  path: '/jobs',
  tags,
  'x-permission': 'analytics.read',
  summary: 'Background work, newest first',
  request: { query: z.strictObject(paging) },
  responses: { 200: json(page(JobDocument), 'A page of jobs'), ...problems(400) },
})

const getRoute = createRoute({
  method: 'get',
  path: '/jobs/{id}',
  tags,
  'x-permission': 'analytics.read',
  summary: 'How a job stands',
  request: { params: idParameter },
  responses: { 200: json(JobDocument, 'The job'), ...problems(404) },
})

const cancelRoute = createRoute({
  method: 'post',
  path: '/jobs/{id}/cancel',
  tags,
  'x-permission': 'accounts.write',
  summary: 'Stop a job that has not finished',
  request: { params: idParameter },
  responses: { 200: json(JobDocument, 'Cancelled'), ...problems(403, 404, 409) },
})

const Position = z.object({ createdAt: z.string(), id: z.uuid() })

export const jobRoutes = createApi()
  .openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const codec = createCursorCodec(c.var.deps.config.cursorSecret, 'jobs')
    const after = cursor === undefined ? null : Position.parse(await codec.decode(cursor))
    const { items, next } = await listJobs(c.var.ctx, { limit, after })
    return c.json({ items, nextCursor: next === null ? null : await codec.encode(next) }, 200)
  })
  .openapi(getRoute, async (c) => c.json(await getJob(c.var.ctx, c.req.valid('param').id), 200))
  .openapi(cancelRoute, async (c) => c.json(await cancelJob(c.var.ctx, c.req.valid('param').id), 200))
