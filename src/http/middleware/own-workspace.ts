import { createMiddleware } from 'hono/factory'
import { notFound } from '../../errors.ts'
import type { HttpEnv } from '../context.ts'

/** Answers 404 under `/workspaces/{id}` for any workspace but the caller's, before anything else is looked at. */
export const ownWorkspace = createMiddleware<HttpEnv>(async (c, next) => {
  if (c.req.param('id') !== c.var.ctx.workspace.id) throw notFound('workspace')
  await next()
})
