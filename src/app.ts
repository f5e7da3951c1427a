import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { AppDeps } from './deps.ts'
import { AppError, invalidRequest, notFound } from './errors.ts'
import type { HttpEnv } from './http/context.ts'
import { createDocumentRoutes, type OpenApiDocument } from './http/documents.ts'
import { chargeAddress, chargeCaller } from './http/limits.ts'
import { refuseMethod } from './http/methods.ts'
import { authenticate } from './http/middleware/authenticate.ts'
import { boundBody } from './http/middleware/bodies.ts'
import { allowCrossOrigin } from './http/middleware/cross-origin.ts'
import { replayIdempotent } from './http/middleware/idempotency.ts'
import { answerError, outermost } from './http/middleware/outermost.ts'
import { createApi } from './http/openapi.ts'
import { accessRoutes } from './http/routes/access.ts'
import { accountRoutes } from './http/routes/accounts.ts'
import { auditLogRoutes } from './http/routes/audit-log.ts'
import { authorizationRoutes } from './http/routes/authorizations.ts'
import { brandRoutes } from './http/routes/brands.ts'
import { dashboardRoutes } from './http/routes/dashboard.ts'
import { deploymentRoutes } from './http/routes/deployment.ts'
import { hashtagRoutes, publicHashtagRoutes } from './http/routes/hashtags.ts'
import { createHealthRoutes } from './http/routes/health.ts'
import { importRoutes } from './http/routes/imports.ts'
import { invitationRoutes, publicInvitationRoutes } from './http/routes/invitations.ts'
import { jobRoutes } from './http/routes/jobs.ts'
import { socketRoute, ticketRoutes } from './http/routes/live.ts'
import { memberRoutes } from './http/routes/members.ts'
import { oauthCallbackRoutes } from './http/routes/oauth-callback.ts'
import { opsRoutes } from './http/routes/ops.ts'
import { opsSyncRoutes } from './http/routes/ops-sync.ts'
import { peopleRoutes } from './http/routes/people.ts'
import { postRoutes } from './http/routes/posts.ts'
import { usageRoutes } from './http/routes/usage.ts'
import { workspaceRoutes } from './http/routes/workspaces.ts'
import { callbackRoutes, type JobDeps } from './jobs/routes.ts'
import { VERSION } from './version.ts'

/** The whole application: what a request passes, in order, and what serves it. */
export function createApp(depsOf: () => AppDeps) {
  const api = createApi()
  api.route('/', accessRoutes)
  api.route('/', workspaceRoutes)
  api.route('/', memberRoutes)
  api.route('/', invitationRoutes)
  api.route('/', brandRoutes)
  api.route('/', accountRoutes)
  api.route('/', authorizationRoutes)
  api.route('/', dashboardRoutes)
  api.route('/', hashtagRoutes)
  api.route('/', postRoutes)
  api.route('/', importRoutes)
  api.route('/', jobRoutes)
  api.route('/', ticketRoutes)
  api.route('/', auditLogRoutes)
  api.route('/', usageRoutes)
  api.route('/', opsRoutes)
  api.route('/', opsSyncRoutes)
  api.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'http', scheme: 'bearer' })

  const described = createApi()
  described.route('/api/v1', api)
  described.route('/api/v1', publicHashtagRoutes)
  described.route('/api/v1', publicInvitationRoutes)
  described.route('/api/v1', deploymentRoutes)

  const app = new Hono<HttpEnv & { Variables: { jobs: JobDeps } }>()
  app.use('*', async (c, next) => {
    const deps = depsOf()
    c.set('deps', deps.http)
    c.set('jobs', deps.jobs)
    await next()
  })
  app.use('*', outermost)
  app.onError((error, c) => answerError(error instanceof HTTPException ? fromFramework(error) : error, c))
  app.notFound((c) => {
    throw notFound(`page as ${new URL(c.req.url).pathname}`)
  })

  app.route('/', createHealthRoutes())
  app.route('/callbacks', callbackRoutes)
  app.route('/', oauthCallbackRoutes)
  app.route('/', peopleRoutes)
  app.route(
    '/',
    createDocumentRoutes(() => describeApi(described)),
  )

  app.use('/api/*', allowCrossOrigin)
  app.route('/api/v1', socketRoute)
  app.use('/api/v1/*', refuseMethod(described))
  app.use('/api/v1/public/*', chargeAddress)
  app.route('/api/v1', publicHashtagRoutes)
  app.route('/api/v1', publicInvitationRoutes)
  app.route('/api/v1', deploymentRoutes)
  app.use('/api/v1/*', authenticate)
  app.use('/api/v1/*', chargeCaller)
  app.use('/api/v1/*', boundBody)
  app.use('/api/v1/*', replayIdempotent)
  app.route('/api/v1', api)
  return app
}

type Described = ReturnType<typeof createApi>

function describeApi(api: Described): OpenApiDocument {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Tidemark API',
      version: VERSION,
      description:
        'Social media analytics: accounts, posts, the dashboard overview, trends and live updates.',
    },
    security: [{ apiKey: [] }],
  })
  // As it travels: plain data, in a shape that the documentation page knows.
  const plain: OpenApiDocument = JSON.parse(JSON.stringify(document))
  return plain
}

/** What the framework itself refuses, in our own terms. */
function fromFramework(error: HTTPException): Error {
  if (error.status === 400) return invalidRequest([{ pointer: '', detail: 'The body is not valid JSON.' }])
  if (error.status === 415)
    return new AppError('unsupported_media_type', 'Send the body as application/json.')
  if (error.status === 413) return new AppError('payload_too_large', 'The body is too large.')
  return error
}
