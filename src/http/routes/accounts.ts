import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { invalidRequest } from '../../errors.ts'
import { createCursorCodec } from '../../lib/cursor.ts'
import { brandsOf } from '../../services/access/reach.ts'
import { connectAccount } from '../../services/accounts/connect-account.ts'
import { connectBatch } from '../../services/accounts/connect-batch.ts'
import {
  bringBackAccount,
  changeAccount,
  getAccount,
  getAccountMetrics,
  listAccountsPage,
  removeAccount,
} from '../../services/accounts/manage-accounts.ts'
import {
  Account,
  AccountMetricsPoint,
  ConnectAccount,
  ConnectAccounts,
  UpdateAccount,
} from '../../services/accounts/schemas.ts'
import { ACCOUNT_SORTS } from '../../services/accounts/sorts.ts'
import { syncAccountNow } from '../../services/accounts/sync-now.ts'
import { removeCredentials, storeCredentials } from '../../services/credentials/manage-credentials.ts'
import { AccountCredentials } from '../../services/credentials/schemas.ts'
import { fromGeneration } from '../../services/from-generation.ts'
import { requirePermission } from '../../services/permissions.ts'
import { AcceptedJob, accepted } from '../accepted.ts'
import { answerCached } from '../cached.ts'
import {
  accountFilter,
  cachedPage,
  createApi,
  filterOf,
  idParameter,
  json,
  jsonBody,
  minGenerationParameter,
  page,
  paging,
  problems,
  searchParameter,
} from '../openapi.ts'
import { noteWatching } from '../watching.ts'

const AccountDocument = Account.openapi('Account')
const tags = ['Accounts']

const connectRoute = createRoute({
  method: 'post',
  path: '/accounts',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Connect an account by its handle, or a pasted URL',
  description:
    'The platform resolves the handle first; the first sync is queued. A Mastodon server that shows posts to its users only is read with `credentials`, which can also be stored later.',
  request: { body: jsonBody(ConnectAccount) },
  responses: { 201: json(AccountDocument, 'Connected'), ...problems(400, 403, 409, 415, 422, 503) },
})

const batchRoute = createRoute({
  method: 'post',
  path: '/accounts/batch',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Connect many accounts in the background',
  description:
    "The job's `result` has an entry for each: `connected`, with its id; `failed`, with the reason; or `waiting`, with the reason and `nextTryAt`, where the platform does not answer, and is asked again.",
  request: { body: jsonBody(ConnectAccounts) },
  responses: { 202: json(AcceptedJob, 'Queued'), ...problems(400, 403, 415, 503) },
})

const listRoute = createRoute({
  method: 'get',
  path: '/accounts',
  'x-permission': 'analytics.read',
  tags,
  summary: 'Accounts',
  description:
    'By handle, or downwards by followers, by when they were last read, or by when they were connected; what is unknown comes last. `status=deleted` lists those that were removed here and can be restored.',
  request: {
    query: z.strictObject({
      ...paging,
      ...accountFilter,
      status: z.enum(['active', 'paused', 'needs_auth', 'gone', 'error', 'imported', 'deleted']).optional(),
      stale: z.enum(['true', 'false']).optional(),
      q: searchParameter,
      sort: z.enum(ACCOUNT_SORTS).default('handle'),
      minGeneration: minGenerationParameter,
    }),
  },
  responses: { 200: json(cachedPage(AccountDocument), 'A page of accounts'), ...problems(400, 503) },
})

const getRoute = createRoute({
  method: 'get',
  path: '/accounts/{id}',
  'x-permission': 'analytics.read',
  tags,
  summary: 'One account',
  request: { params: idParameter },
  responses: { 200: json(AccountDocument, 'The account'), ...problems(404) },
})

const changeRoute = createRoute({
  method: 'patch',
  path: '/accounts/{id}',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Pause or resume an account, or put it into a brand',
  request: { params: idParameter, body: jsonBody(UpdateAccount) },
  responses: { 200: json(AccountDocument, 'Changed'), ...problems(400, 403, 404, 409, 415) },
})

const removeRoute = createRoute({
  method: 'delete',
  path: '/accounts/{id}',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Remove an account',
  description: 'Hidden at once and left out of every figure; restorable for 30 days.',
  request: { params: idParameter },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404) },
})

const restoreRoute = createRoute({
  method: 'post',
  path: '/accounts/{id}/restore',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Bring a removed account back',
  request: { params: idParameter },
  responses: { 200: json(AccountDocument, 'Restored'), ...problems(403, 404, 409, 410) },
})

const metricsRoute = createRoute({
  method: 'get',
  path: '/accounts/{id}/metrics',
  'x-permission': 'analytics.read',
  tags,
  summary: 'Followers, following and posts over time',
  request: { params: idParameter },
  responses: {
    200: json(page(AccountMetricsPoint), 'The last reading of each day, oldest first'),
    ...problems(404),
  },
})

const syncRoute = createRoute({
  method: 'post',
  path: '/accounts/{id}/sync',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Read an account now',
  request: { params: idParameter },
  responses: { 202: json(AcceptedJob, 'Queued'), ...problems(403, 404, 409, 503) },
})

const storeCredentialsRoute = createRoute({
  method: 'put',
  path: '/accounts/{id}/credentials',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Store the access token that an account is read with',
  description:
    'Mastodon alone, for servers that show posts to their users only: a token of any user of that server, with the scope `read`. The server is asked first. The token is kept encrypted and is never shown; the posts of the account count in no public trend.',
  request: { params: idParameter, body: jsonBody(AccountCredentials) },
  responses: { 204: { description: 'Stored' }, ...problems(400, 403, 404, 409, 415, 422, 503) },
})

const removeCredentialsRoute = createRoute({
  method: 'delete',
  path: '/accounts/{id}/credentials',
  'x-permission': 'accounts.write',
  tags,
  summary: 'Remove the access token of an account',
  description: 'From then on it is read as anybody may.',
  request: { params: idParameter },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404) },
})

const Position = z.object({ value: z.string(), id: z.uuid(), sort: z.string() })

export const accountRoutes = createApi()
  .openapi(connectRoute, async (c) => {
    const account = await connectAccount(c.get('ctx'), c.req.valid('json'))
    return c.json(account, 201, { location: `/api/v1/accounts/${account.id}` })
  })
  .openapi(batchRoute, async (c) => accepted(c, await connectBatch(c.get('ctx'), c.req.valid('json'))))
  .openapi(listRoute, async (c) => {
    const ctx = c.get('ctx')
    const query = c.req.valid('query')
    const codec = createCursorCodec(c.get('deps').config.cursorSecret, 'accounts')
    const after = query.cursor === undefined ? null : Position.parse(await codec.decode(query.cursor))
    if (after !== null && after.sort !== query.sort)
      throw invalidRequest([{ pointer: '/query/cursor', detail: 'This cursor belongs to another order.' }])
    requirePermission(ctx.actor, 'analytics.read')
    noteWatching(ctx)
    const { sort, limit, minGeneration } = query
    const question = {
      filter: filterOf(query),
      search: query.q?.trim() || null,
      status: query.status ?? null,
      stale: query.stale === undefined ? null : query.stale === 'true',
      sort,
      after,
      limit,
    }
    const read = async (atLeast: number | null) => {
      const { items, next, generation } = await listAccountsPage(fromGeneration(ctx, atLeast), question)
      const nextCursor = next === null ? null : await codec.encode({ ...next, sort })
      return { generation, value: { items, nextCursor, stale: false } }
    }
    if (after !== null) return c.json((await read(null)).value, 200)
    const asked = { scope: ctx.workspace.id, reach: brandsOf(ctx.actor), question, minGeneration }
    return answerCached(c, 'accounts', asked, read) as never
  })
  .openapi(getRoute, async (c) => c.json(await getAccount(c.get('ctx'), c.req.valid('param').id), 200))
  .openapi(changeRoute, async (c) => {
    const input = c.req.valid('json')
    if (Object.keys(input).length === 0)
      throw invalidRequest([{ pointer: '', detail: 'Name at least one field to change.' }])
    return c.json(await changeAccount(c.get('ctx'), c.req.valid('param').id, input), 200)
  })
  .openapi(removeRoute, async (c) => {
    await removeAccount(c.get('ctx'), c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(restoreRoute, async (c) =>
    c.json(await bringBackAccount(c.get('ctx'), c.req.valid('param').id), 200),
  )
  .openapi(metricsRoute, async (c) =>
    c.json({ items: await getAccountMetrics(c.get('ctx'), c.req.valid('param').id), nextCursor: null }, 200),
  )
  .openapi(storeCredentialsRoute, async (c) => {
    await storeCredentials(c.get('ctx'), c.req.valid('param').id, c.req.valid('json'))
    return c.body(null, 204)
  })
  .openapi(removeCredentialsRoute, async (c) => {
    await removeCredentials(c.get('ctx'), c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(syncRoute, async (c) => accepted(c, await syncAccountNow(c.get('ctx'), c.req.valid('param').id)))
