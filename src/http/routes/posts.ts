import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { normaliseTag } from '../../domain/hashtags.ts'
import { daysBetween, isTimezone, periodOf } from '../../domain/periods.ts'
import { POST_KINDS } from '../../domain/platforms.ts'
import { type FieldError, invalidRequest } from '../../errors.ts'
import { createCursorCodec } from '../../lib/cursor.ts'
import { brandsOf } from '../../services/access/reach.ts'
import { fromGeneration } from '../../services/from-generation.ts'
import { requirePermission } from '../../services/permissions.ts'
import { getPost, getPostSnapshots, getPosts } from '../../services/posts/posts.ts'
import { Post, PostSnapshot } from '../../services/posts/schemas.ts'
import { POST_SORTS, type PostListQuery, type PostSort } from '../../services/posts/sorts.ts'
import { answerCached } from '../cached.ts'
import {
  accountFilter,
  cachedPage,
  commaList,
  createApi,
  DAY_HINT,
  filterOf,
  idParameter,
  isAskableDay,
  json,
  minGenerationParameter,
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
  description:
    'Unknown counts come last. `from` and `to` are days of the timezone, inclusive.\n\n`q` finds posts in whose text every word stands, in any order, without regard to case; of the last word the beginning is enough. `#tag` finds hashtags, `@name` handles that begin so. Symbols such as emoji are words of their own; what is written without spaces between words (Chinese, Japanese, Thai) is found by neighbouring characters. Other characters separate words.\n\n`-relevance` needs `q`. It ranks the newest 1,000 matches: first those in which the words stand together as they were asked for, the more often (up to three times) the better, then those that have the last word in full; the newest first among equals. The list ends with these.',
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
      minGeneration: minGenerationParameter,
    }),
  },
  responses: { 200: json(cachedPage(PostDocument), 'A page of posts'), ...problems(400, 503) },
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

/** Whether there is a word or a symbol to look for. */
const SEARCHABLE = /[\p{L}\p{N}_]|(?!\p{ASCII})\p{S}/u

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
    const search = query.q?.trim() || null
    if (search !== null && !SEARCHABLE.test(search))
      errors.push({ pointer: '/query/q', detail: 'There is no word in it to look for.' })
    if (search === null && sort === '-relevance')
      errors.push({ pointer: '/query/sort', detail: 'Only what is searched for (q) has a relevance.' })
    if (errors.length > 0) throw invalidRequest(errors)
    requirePermission(ctx.actor, 'analytics.read')
    const timezone = query.timezone ?? ctx.workspace.timezone
    const question: PostListQuery = {
      filter: filterOf(query),
      sort: POST_SORTS.find((known) => sort === `-${known}`) ?? 'postedAt',
      kinds: query.kinds.toSorted(),
      hashtags: normalised.filter((tag) => tag !== null).toSorted(),
      search,
      from: from === undefined ? null : periodOf(from, from, timezone).start,
      until: to === undefined ? null : periodOf(to, to, timezone).end,
      after,
      limit: query.limit,
    }
    noteWatching(ctx)
    const read = async (atLeast: number | null) => {
      const { items, next, generation } = await getPosts(fromGeneration(ctx, atLeast), question)
      const nextCursor = next === null ? null : await codec.encode({ ...next, sort })
      return { generation, value: { items, nextCursor, stale: false } }
    }
    if (after !== null) return c.json((await read(null)).value, 200)
    const { minGeneration } = query
    const asked = { scope: ctx.workspace.id, reach: brandsOf(ctx.actor), question, minGeneration }
    return answerCached(c, 'posts', asked, read) as never
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
