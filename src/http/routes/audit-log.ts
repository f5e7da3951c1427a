import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { daysBetween, isTimezone, periodOf, today } from '../../domain/periods.ts'
import { invalidRequest } from '../../errors.ts'
import { createCursorCodec } from '../../lib/cursor.ts'
import { isStorable, NOT_STORABLE } from '../../lib/text.ts'
import { AUDIT_ACTIONS } from '../../services/audit/actions.ts'
import { exportAuditLog } from '../../services/audit/export-audit-log.ts'
import { listAuditLog } from '../../services/audit/list-audit-log.ts'
import { AuditLogEntry } from '../../services/audit/schemas.ts'
import { requirePermission } from '../../services/permissions.ts'
import { commaList, createApi, DAY_HINT, isAskableDay, json, page, paging, problems } from '../openapi.ts'

const auditLog = { tags: ['Audit log'], 'x-permission': 'audit.read' }
const day = z.string().refine(isAskableDay, DAY_HINT).optional()

const filters = {
  actors: commaList(z.string().max(100).refine(isStorable, NOT_STORABLE)),
  actions: commaList(
    z.enum(AUDIT_ACTIONS, { error: ({ input }) => `there is no action ${String(input).slice(0, 50)}` }),
  ),
  from: day,
  to: day,
  timezone: z.string().refine(isTimezone, 'must be an IANA timezone such as Europe/Berlin').optional(),
}

const DESCRIPTION =
  '`actors` are ids of people and API keys. `from` and `to` are days of the timezone, inclusive.'

const listRoute = createRoute({
  ...auditLog,
  method: 'get',
  path: '/audit-log',
  summary: 'Who did what, when and from where; newest first',
  description: `${DESCRIPTION} Names are as they were then.`,
  request: { query: z.strictObject({ ...paging, ...filters }) },
  responses: {
    200: json(page(AuditLogEntry.openapi('AuditLogEntry')), 'A page of the log'),
    ...problems(400, 403),
  },
})

const exportRoute = createRoute({
  ...auditLog,
  method: 'get',
  path: '/exports/audit-log.csv',
  summary: 'The log as CSV',
  description: `${DESCRIPTION} Cells that a spreadsheet would take for a formula begin with an apostrophe. The export is written down itself.`,
  request: { query: z.strictObject(filters) },
  responses: {
    200: {
      description: 'CSV with a header, newest first',
      content: { 'text/csv': { schema: z.string() } },
    },
    ...problems(400, 403, 503),
  },
})

interface Days {
  from?: string | undefined
  to?: string | undefined
  timezone?: string | undefined
}

/** The instants between which days lie. @throws invalid_request where they are reversed */
function spanOf({ from, to, timezone: asked }: Days, ownTimezone: string) {
  if (from !== undefined && to !== undefined && daysBetween(from, to) < 1)
    throw invalidRequest([{ pointer: '/query/to', detail: 'to is before from.' }])
  const timezone = asked ?? ownTimezone
  return {
    from: from === undefined ? null : periodOf(from, from, timezone).start,
    until: to === undefined ? null : periodOf(to, to, timezone).end,
  }
}

const Position = z.object({ at: z.string(), id: z.uuid() })

export const auditLogRoutes = createApi()
  .openapi(listRoute, async (c) => {
    const { ctx, deps } = c.var
    const { actors, actions, cursor, limit, ...days } = c.req.valid('query')
    const codec = createCursorCodec(deps.config.cursorSecret, 'audit-log')
    const after = cursor === undefined ? null : Position.parse(await codec.decode(cursor))
    const filter = { actors, actions, ...spanOf(days, ctx.workspace.timezone) }
    const { items, next } = await listAuditLog(ctx, { filter, after, limit })
    return c.json({ items, nextCursor: next === null ? null : await codec.encode(next) }, 200)
  })
  .openapi(exportRoute, async (c) => {
    const { ctx } = c.var
    const { actors, actions, ...days } = c.req.valid('query')
    const { timezone } = ctx.workspace
    const headers = {
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': `attachment; filename="tidemark-audit-log-${today(timezone, ctx.clock.now())}.csv"`,
      'cache-control': 'no-store',
    }
    // Whoever asks for the headers alone takes nothing away that would have to be noted.
    if (c.req.method === 'HEAD') {
      requirePermission(ctx.actor, 'audit.read')
      return c.body(null, 200, headers)
    }
    const csv = await exportAuditLog(ctx, { actors, actions, ...spanOf(days, timezone) })
    return c.body(csv, 200, headers)
  })
