import { createRoute, z } from '@hono/zod-openapi'
import { PLATFORMS } from '../../domain/platforms.ts'
import { getTrendingHashtags } from '../../services/hashtags/index.ts'
import { TRENDING_WINDOWS, TrendingHashtags } from '../../services/hashtags/schemas.ts'
import { requireScope } from '../../services/scope.ts'
import { answerCached } from '../cached.ts'
import { commaList, createApi, json, limitParameter, minGenerationParameter, problems } from '../openapi.ts'
import { noteWatching } from '../watching.ts'

const trendingRoute = createRoute({
  method: 'get',
  path: '/trending/hashtags',
  tags: ['Trending'],
  summary: 'Hashtags that are used more than one would expect',
  description:
    'Rolling windows. `surge` = (observed − expected)² / expected where more than expected; `score` is its peak, halved every half-life since.',
  request: {
    query: z.strictObject({
      window: z.enum(TRENDING_WINDOWS).default('24h'),
      scope: z.enum(['workspace', 'public']).default('workspace'),
      platforms: commaList(z.enum(PLATFORMS)),
      brands: commaList(z.uuid('is not an id')),
      sort: z.enum(['surge', 'volume', 'engagement']).default('surge'),
      limit: limitParameter,
      minGeneration: minGenerationParameter,
    }),
  },
  responses: { 200: json(TrendingHashtags, 'The hashtags'), ...problems(400, 503) },
})

export const hashtagRoutes = createApi().openapi(trendingRoute, async (c) => {
  const { ctx } = c.var
  requireScope(ctx.actor, 'read')
  const { minGeneration, ...query } = c.req.valid('query')
  const question = { ...query, platforms: query.platforms.toSorted(), brands: query.brands.toSorted() }
  noteWatching(ctx)
  return answerCached(
    c,
    'trending',
    { scope: query.scope === 'public' ? 'public' : ctx.workspace.id, question, minGeneration },
    async () => {
      const value = await getTrendingHashtags(ctx, question)
      return { generation: value.generation, value }
    },
  ) as never
})
