import { createRoute, z } from '@hono/zod-openapi'
import { normaliseTag } from '../../domain/hashtags.ts'
import { today } from '../../domain/periods.ts'
import { PLATFORMS } from '../../domain/platforms.ts'
import { PUBLIC_SCOPE } from '../../ports.ts'
import { brandsOf } from '../../services/access/reach.ts'
import {
  computePublicTrending,
  getHashtagCourse,
  getPublicHashtagCourse,
  getTrendingHashtags,
} from '../../services/hashtags/index.ts'
import {
  HashtagCourse,
  TRENDING_SCOPES,
  TRENDING_SORTS,
  TRENDING_WINDOWS,
  TrendingHashtags,
} from '../../services/hashtags/schemas.ts'
import { requirePermission } from '../../services/permissions.ts'
import { answerCached } from '../cached.ts'
import { commaList, createApi, json, limitParameter, minGenerationParameter, problems } from '../openapi.ts'
import { noteWatching } from '../watching.ts'

const tags = ['Trending']
const description =
  'Rolling windows. `surge` = (observed − expected)² / expected where more than expected; `score` is its peak, halved every half-life since.'

const common = {
  window: z.enum(TRENDING_WINDOWS).default('24h'),
  platforms: commaList(z.enum(PLATFORMS)),
  sort: z.enum(TRENDING_SORTS).default('surge'),
  limit: limitParameter,
}

const trendingRoute = createRoute({
  method: 'get',
  path: '/trending/hashtags',
  tags,
  'x-permission': 'analytics.read',
  summary: 'Hashtags that are used more than one would expect',
  description,
  request: {
    query: z.strictObject({
      ...common,
      scope: z.enum(TRENDING_SCOPES).default('workspace'),
      brands: commaList(z.uuid('is not an id')),
      minGeneration: minGenerationParameter,
    }),
  },
  responses: { 200: json(TrendingHashtags, 'The hashtags'), ...problems(400, 503) },
})

const tagParameter = z.object({ tag: z.string().min(1).max(120) })

const courseRoute = createRoute({
  method: 'get',
  path: '/trending/hashtags/{tag}',
  tags,
  'x-permission': 'analytics.read',
  summary: 'The course of a hashtag, and its top posts',
  request: { params: tagParameter, query: z.strictObject({ minGeneration: minGenerationParameter }) },
  responses: { 200: json(HashtagCourse, 'Its course'), ...problems(400, 404, 503) },
})

export const hashtagRoutes = createApi()
  .openapi(trendingRoute, async (c) => {
    const { ctx } = c.var
    requirePermission(ctx.actor, 'analytics.read')
    const { minGeneration, ...query } = c.req.valid('query')
    const question = { ...query, platforms: query.platforms.toSorted(), brands: query.brands.toSorted() }
    noteWatching(ctx)
    const whose =
      query.scope === 'public'
        ? { scope: PUBLIC_SCOPE, reach: null }
        : { scope: ctx.workspace.id, reach: brandsOf(ctx.actor) }
    return answerCached(c, 'trending', { ...whose, question, minGeneration }, async () => {
      const value = await getTrendingHashtags(ctx, question)
      return { generation: value.generation, value }
    }) as never
  })
  .openapi(courseRoute, async (c) => {
    const { ctx } = c.var
    requirePermission(ctx.actor, 'analytics.read')
    const { tag } = c.req.valid('param')
    const { timezone } = ctx.workspace
    return answerCached(
      c,
      'hashtagCourse',
      {
        scope: ctx.workspace.id,
        reach: brandsOf(ctx.actor),
        question: { tag: normaliseTag(tag), timezone, until: today(timezone, ctx.clock.now()) },
        minGeneration: c.req.valid('query').minGeneration,
      },
      async () => {
        const value = await getHashtagCourse(ctx, tag)
        return { generation: value.generation, value }
      },
    ) as never
  })

const publicTrendingRoute = createRoute({
  method: 'get',
  path: '/public/trending/hashtags',
  tags,
  'x-permission': 'public',
  security: [],
  summary: 'Trends that anybody may see, without a key',
  description: `Only posts that anyone can read without credentials count. ${description}`,
  request: { query: z.strictObject(common) },
  responses: { 200: json(TrendingHashtags, 'The hashtags'), ...problems(400, 503) },
})

const publicCourseRoute = createRoute({
  method: 'get',
  path: '/public/trending/hashtags/{tag}',
  tags,
  'x-permission': 'public',
  security: [],
  summary: 'The public course of a hashtag',
  request: { params: tagParameter },
  responses: { 200: json(HashtagCourse, 'Its course'), ...problems(400, 404, 503) },
})

/** Served before anybody is asked who they are; see `chargeAddress`. */
export const publicHashtagRoutes = createApi()
  .openapi(publicTrendingRoute, async (c) => {
    const { services } = c.var.deps
    const query = c.req.valid('query')
    const question = { ...query, platforms: query.platforms.toSorted() }
    return answerCached(
      c,
      'publicTrending',
      { scope: PUBLIC_SCOPE, reach: null, question, minGeneration: 0 },
      async () => {
        const value = await computePublicTrending(services, question)
        return { generation: value.generation, value }
      },
    ) as never
  })
  .openapi(publicCourseRoute, async (c) => {
    const { services } = c.var.deps
    const { tag } = c.req.valid('param')
    const question = { tag: normaliseTag(tag), until: today('UTC', services.clock.now()) }
    return answerCached(
      c,
      'publicHashtagCourse',
      { scope: PUBLIC_SCOPE, reach: null, question, minGeneration: 0 },
      async () => {
        const value = await getPublicHashtagCourse(services, tag)
        return { generation: value.generation, value }
      },
    ) as never
  })
