import { Hono } from 'hono'
import { normaliseTag } from '../../domain/hashtags.ts'
import { today } from '../../domain/periods.ts'
import { TRENDING_SCOPES, TRENDING_SORTS, TRENDING_WINDOWS } from '../../domain/trending.ts'
import { PUBLIC_SCOPE } from '../../ports.ts'
import { brandsOf } from '../../services/access/reach.ts'
import { fromGeneration } from '../../services/from-generation.ts'
import { requirePermission } from '../../services/permissions.ts'
import { answerTrending } from '../../services/questions.ts'
import { answerCached } from '../cached.ts'
import type { HttpEnv } from '../context.ts'
import { ids, limit, minGeneration, option, platforms, readsPath, readsQuery, textOf } from '../parameters.ts'
import { noteWatching } from '../watching.ts'

const common = {
  window: option(TRENDING_WINDOWS, '24h'),
  platforms,
  sort: option(TRENDING_SORTS, 'surge'),
  limit,
}

// What the addresses say; documented in `documented-reads.ts`, and so are the routes.
export const trendingQuery = {
  ...common,
  scope: option(TRENDING_SCOPES, 'workspace'),
  brands: ids,
  minGeneration,
}
export const publicTrendingQuery = { ...common, minGeneration }
export const coursePath = { tag: textOf(1, 120) }
export const courseQuery = { minGeneration }

export const hashtagRoutes = new Hono<HttpEnv>()
  .get('/trending/hashtags', readsQuery(trendingQuery), async (c) => {
    const { ctx } = c.var
    requirePermission(ctx.actor, 'analytics.read')
    const { minGeneration, ...query } = c.req.valid('query')
    const question = { ...query, platforms: query.platforms.toSorted(), brands: query.brands.toSorted() }
    noteWatching(ctx)
    const whose =
      query.scope === 'public'
        ? { scope: PUBLIC_SCOPE, reach: null }
        : { scope: ctx.workspace.id, reach: brandsOf(ctx.actor) }
    return answerCached(c, 'trending', { ...whose, question, minGeneration }, (atLeast) =>
      answerTrending(fromGeneration({ ...ctx, reach: whose.reach }, atLeast), question),
    )
  })
  .get('/trending/hashtags/:tag', readsPath(coursePath), readsQuery(courseQuery), async (c) => {
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
      async (atLeast) => {
        const { getHashtagCourse } = await import('../../services/hashtags/get-hashtag-course.ts')
        const value = await getHashtagCourse(fromGeneration(ctx, atLeast), tag)
        return { generation: value.generation, value }
      },
    )
  })

/** Served before anybody is asked who they are; see `chargeAddress`. */
export const publicHashtagRoutes = new Hono<HttpEnv>()
  .get('/public/trending/hashtags', readsQuery(publicTrendingQuery), async (c) => {
    const { services } = c.var.deps
    const { minGeneration, ...query } = c.req.valid('query')
    const question = { ...query, platforms: query.platforms.toSorted() }
    return answerCached(
      c,
      'publicTrending',
      { scope: PUBLIC_SCOPE, reach: null, question, minGeneration },
      async () => {
        const { getPublicTrending } = await import('../../services/hashtags/get-public-trending.ts')
        const value = await getPublicTrending(services, question)
        return { generation: value.generation, value }
      },
    )
  })
  .get('/public/trending/hashtags/:tag', readsPath(coursePath), async (c) => {
    const { services } = c.var.deps
    const { tag } = c.req.valid('param')
    const question = { tag: normaliseTag(tag), until: today('UTC', services.clock.now()) }
    return answerCached(
      c,
      'publicHashtagCourse',
      { scope: PUBLIC_SCOPE, reach: null, question, minGeneration: 0 },
      async () => {
        const { getPublicHashtagCourse } = await import('../../services/hashtags/get-hashtag-course.ts')
        const value = await getPublicHashtagCourse(services, tag)
        return { generation: value.generation, value }
      },
    )
  })
