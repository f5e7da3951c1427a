import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import { getImport, startImport } from '../../services/imports/index.ts'
import { ImportReport } from '../../services/imports/schemas.ts'
import { AcceptedJob, accepted } from '../accepted.ts'
import { assertAllowed, limitPolicy } from '../limits.ts'
import { createApi, idParameter, json, problems } from '../openapi.ts'

const tags = ['Imports']

const startRoute = createRoute({
  method: 'post',
  path: '/imports',
  'x-permission': 'imports.write',
  tags,
  summary: 'Import posts with their metrics from a file',
  description:
    'The body is CSV (`text/csv`, with a header) or NDJSON (`application/x-ndjson`), at most 100 MB. It is stored first and then taken in piece by piece; lines that cannot be read are reported, the others are kept. The same file twice changes nothing.',
  request: {
    query: z.strictObject({
      platform: z.enum(PLATFORMS),
      handle: z.string().trim().min(1).max(256).optional(),
    }),
  },
  responses: { 202: json(AcceptedJob, 'Taken'), ...problems(400, 403, 413, 415, 503) },
})

const getRoute = createRoute({
  method: 'get',
  path: '/imports/{id}',
  'x-permission': 'analytics.read',
  tags,
  summary: 'How an import went',
  request: { params: idParameter },
  responses: { 200: json(ImportReport.openapi('ImportReport'), 'The report'), ...problems(404) },
})

const FORMATS: Record<string, 'csv' | 'ndjson'> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
}

export const importRoutes = createApi()
  .openapi(startRoute, async (c) => {
    const { deps, caller, ctx } = c.var
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
    const format = FORMATS[type]
    if (format === undefined)
      throw new AppError('unsupported_media_type', 'Send text/csv or application/x-ndjson.')
    const verdict = await deps.limiter.require(limitPolicy(deps, 'imports'), caller.id)
    c.set('limit', verdict)
    assertAllowed(verdict)
    const { body } = c.req.raw
    if (body === null) throw invalidRequest([{ pointer: '', detail: 'The body is empty.' }])
    const { platform, handle } = c.req.valid('query')
    return accepted(c, await startImport(ctx, { platform, handle: handle ?? null, format, body }))
  })
  .openapi(getRoute, async (c) => c.json(await getImport(c.var.ctx, c.req.valid('param').id), 200))
