import { createRoute, z } from '@hono/zod-openapi'
import { normaliseTag } from '../../domain/hashtags.ts'
import { daysBetween, isTimezone, periodOf } from '../../domain/periods.ts'
import { POST_KINDS } from '../../domain/platforms.ts'
import { type FieldError, invalidRequest } from '../../errors.ts'
import { createCursorCodec } from '../../lib/cursor.ts'
import { getPost, getPostSnapshots, getPosts } from '../../services/posts/posts.ts'
import { Post, PostSnapshot } from '../../services/posts/schemas.ts'
import { POST_SORTS, type PostSort } from '../../services/posts/sorts.ts'
import {
  accountFilter,
  commaList,
  createApi,
  DAY_HINT,
  idParameter,
  isAskableDay,
  json,
  page,
  paging,
  problems,
  searchParameter,
} from '../openapi.ts'
import { noteWatching } from '../watching.ts'

const PostDocument = Post.openapi('Post')
const tags = ['Posts']
const day = z.string().refine(isAskableDay, DAY_HINT).optional()
const SORTS = POST_SORTS.map((sort): `-${PostSort}` => `-${sort}`)

const listRoute = createRoute({
  method: 'get',
  path: '/posts',
  tags,
  'x-permission': 'analytics.read',
  summary: 'Posts, sorted downwards',
  description: 'Unknown counts come last. `from` and `to` are days of the timezone, inclusive.',
  request: {
    query: z.strictObject({
      ...paging,
      ...accountFilter,
      sort: z.enum(SORTS).default('-postedAt'),
      kinds: commaList(z.enum(POST_KINDS)),
      hashtags: commaList(z.string().max(120)),
      q: searchParameter,
      from: day,
      to: day,
      timezone: z.string().refine(isTimezone, 'must be an IANA timezone such as Europe/Berlin').optional(),
    }),
  },
  responses: { 200: json(page(PostDocument), 'A page of posts'), ...problems(400) },
})

const getRoute = createRoute({
  method: 'get',
  path: '/posts/{id}',
  tags,
  'x-permission': 'analytics.read',
  summary: 'One post',
  request: { params: idParameter },
  responses: { 200: json(PostDocument, 'The post'), ...problems(404) },
})

const metricsRoute = createRoute({
  method: 'get',
  path: '/posts/{id}/metrics',
  tags,
  'x-permission': 'analytics.read',
  summary: 'Its metrics whenever they were found changed, newest first',
  request: { params: idParameter, query: z.strictObject(paging) },
  responses: { 200: json(page(PostSnapshot), 'A page of readings'), ...problems(400, 404) },
})

const Position = z.object({ value: z.string(), id: z.uuid(), sort: z.string() })

export const postRoutes = createApi()
  .openapi(listRoute, async (c) => {
    const ctx = c.get('ctx')
    const query = c.req.valid('query')
    const { from, to, sort } = query
    const codec = createCursorCodec(c.get('deps').config.cursorSecret, 'posts')
    const after = query.cursor === undefined ? null : Position.parse(await codec.decode(query.cursor))
    const errors: FieldError[] = []
    if (after !== null && after.sort !== sort)
      errors.push({ pointer: '/query/cursor', detail: 'This cursor belongs to another order.' })
    if (from !== undefined && to !== undefined && daysBetween(from, to) < 1)
      errors.push({ pointer: '/query/to', detail: 'to is before from.' })
    const normalised = query.hashtags.map(normaliseTag)
    if (normalised.includes(null))
      errors.push({ pointer: '/query/hashtags', detail: 'This is not a hashtag.' })
    if (errors.length > 0) throw invalidRequest(errors)
    const timezone = query.timezone ?? ctx.workspace.timezone
    noteWatching(ctx)
    const { items, next } = await getPosts(ctx, {
      filter: { accounts: query.accounts, platforms: query.platforms, brands: query.brands },
      sort: POST_SORTS.find((known) => sort === `-${known}`) ?? 'postedAt',
      kinds: query.kinds,
      hashtags: normalised.filter((tag) => tag !== null),
      search: query.q?.trim() || null,
      from: from === undefined ? null : periodOf(from, from, timezone).start,
      until: to === undefined ? null : periodOf(to, to, timezone).end,
      after,
      limit: query.limit,
    })
    return c.json({ items, nextCursor: next === null ? null : await codec.encode({ ...next, sort }) }, 200)
  })
  .openapi(getRoute, async (c) => c.json(await getPost(c.get('ctx'), c.req.valid('param').id), 200))
  .openapi(metricsRoute, async (c) => {
    const query = c.req.valid('query')
    const codec = createCursorCodec(c.get('deps').config.cursorSecret, 'post-metrics')
    const after = query.cursor === undefined ? null : z.string().parse(await codec.decode(query.cursor))
    const { items, next } = await getPostSnapshots(c.get('ctx'), c.req.valid('param').id, {
      after,
      limit: query.limit,
    })
    return c.json({ items, nextCursor: next === null ? null : await codec.encode(next) }, 200)
  })
