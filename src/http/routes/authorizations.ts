import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { Account } from '../../services/accounts/schemas.ts'
import { beginAuthorization } from '../../services/authorizations/begin-authorization.ts'
import { connectGranted } from '../../services/authorizations/connect-granted.ts'
import { getAuthorization } from '../../services/authorizations/get-authorization.ts'
import {
  Authorization,
  BeginAuthorization,
  BegunAuthorization,
  ConnectGranted,
} from '../../services/authorizations/schemas.ts'
import { createApi, idParameter, json, jsonBody, problems } from '../openapi.ts'

const tags = ['Accounts']
const Accounts = z.object({ items: z.array(Account.openapi('Account')) })

const beginRoute = createRoute({
  method: 'post',
  path: '/accounts/authorizations',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Begin to connect accounts by signing in at their platform',
  description:
    'Send the person to `url` within ten minutes. They come back to the dashboard, signed in as whoever began this (or, where an API key did, as a member who may connect accounts). With `accountId`, an account that is connected already is read again.',
  request: { body: jsonBody(BeginAuthorization) },
  responses: {
    201: json(BegunAuthorization.openapi('BegunAuthorization'), 'Begun'),
    ...problems(400, 403, 415, 422, 503),
  },
})

const getRoute = createRoute({
  method: 'get',
  path: '/accounts/authorizations/{id}',
  'x-permission': 'accounts.write',
  tags,
  summary: 'What a person let us read, and what may be connected',
  description: 'For whoever began it, who came back from the platform, and admins.',
  request: { params: idParameter },
  responses: {
    200: json(Authorization.openapi('Authorization'), 'How far it is'),
    ...problems(403, 404),
  },
})

const connectRoute = createRoute({
  method: 'post',
  path: '/accounts/authorizations/{id}/connect',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Connect accounts that were granted, all or none',
  description:
    'Once. An account that is connected already is read with the new credential from now on, and again where its platform had let us in no more. The first sync of each is queued.',
  request: { params: idParameter, body: jsonBody(ConnectGranted) },
  responses: {
    201: json(Accounts, 'Connected; those that were connected before are read with the new access'),
    ...problems(400, 403, 404, 409, 410, 415, 422, 503),
  },
})

export const authorizationRoutes = createApi()
  .openapi(beginRoute, async (c) => {
    const begun = await beginAuthorization(c.var.ctx, c.req.valid('json'))
    return c.json(begun, 201, { location: `/api/v1/accounts/authorizations/${begun.id}` })
  })
  .openapi(getRoute, async (c) => c.json(await getAuthorization(c.var.ctx, c.req.valid('param').id), 200))
  .openapi(connectRoute, async (c) => {
    const items = await connectGranted(c.var.ctx, c.req.valid('param').id, c.req.valid('json'))
    return c.json({ items }, 201)
  })
