import { createDocumentRoutes, type OpenApiDocument } from '../http/documents.ts'
import { chargeAddress } from '../http/limits.ts'
import { refuseMethod } from '../http/methods.ts'
import { allowCrossOrigin } from '../http/middleware/cross-origin.ts'
import { createApi } from '../http/openapi.ts'
import { accessRoutes } from '../http/routes/access.ts'
import { accountRoutes } from '../http/routes/accounts.ts'
import { auditLogRoutes } from '../http/routes/audit-log.ts'
import { authorizationRoutes } from '../http/routes/authorizations.ts'
import { brandRoutes } from '../http/routes/brands.ts'
import { deploymentRoutes } from '../http/routes/deployment.ts'
import { documentedPublicReads, documentedReads } from '../http/routes/documented-reads.ts'
import { importRoutes } from '../http/routes/imports.ts'
import { invitationRoutes, publicInvitationRoutes } from '../http/routes/invitations.ts'
import { jobRoutes } from '../http/routes/jobs.ts'
import { publicTicketRoutes, socketRoute, ticketRoutes } from '../http/routes/live.ts'
import { memberRoutes } from '../http/routes/members.ts'
import { oauthCallbackRoutes } from '../http/routes/oauth-callback.ts'
import { opsRoutes } from '../http/routes/ops.ts'
import { opsSyncRoutes } from '../http/routes/ops-sync.ts'
import { peopleRoutes } from '../http/routes/people.ts'
import { postRoutes } from '../http/routes/posts.ts'
import { usageRoutes } from '../http/routes/usage.ts'
import { workspaceRoutes } from '../http/routes/workspaces.ts'

import { callbackRoutes } from '../jobs/routes.ts'
import { VERSION } from '../version.ts'
import { type AppParts, createBase, requireCaller } from './base.ts'

/** The whole application but for what `app.ts` serves itself, and what a request passes before it is served, in order. */
export function createWhole(parts: AppParts) {
  const api = createApi()
  api.route('/', accessRoutes)
  api.route('/', workspaceRoutes)
  api.route('/', memberRoutes)
  api.route('/', invitationRoutes)
  api.route('/', brandRoutes)
  api.route('/', accountRoutes)
  api.route('/', authorizationRoutes)
  api.route('/', documentedReads)
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
  described.route('/api/v1', documentedPublicReads)
  described.route('/api/v1', publicInvitationRoutes)
  described.route('/api/v1', publicTicketRoutes)
  described.route('/api/v1', deploymentRoutes)

  const app = createBase(parts)
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
  app.route('/api/v1', publicInvitationRoutes)
  app.route('/api/v1', publicTicketRoutes)
  app.route('/api/v1', deploymentRoutes)
  requireCaller(app)
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
