import { createRoute } from '@hono/zod-openapi'
import { HashtagCourse, TrendingHashtags } from '../../services/hashtags/schemas.ts'
import { Overview } from '../../services/overview/schemas.ts'
import { createApi, json, problems } from '../openapi.ts'
import { schemaOf } from '../parameters.ts'
import { overviewQuery } from './dashboard.ts'
import { coursePath, courseQuery, publicTrendingQuery, trendingQuery } from './hashtags.ts'

/*
 * What documents the reads that an isolate serves before anything else. They are routed in `dashboard.ts` and
 * `hashtags.ts`, which leave this out, as it takes longer to load than to answer (docs/decisions/0012).
 */

const tags = ['Trending']
const description =
  'Rolling windows. `surge` = (observed − expected)² / expected where more than expected; `score` is its peak, halved every half-life since.'

const overviewRoute = createRoute({
  method: 'get',
  path: '/dashboard/overview',
  tags: ['Dashboard'],
  'x-permission': 'analytics.read',
  summary: 'What all accounts reached in a period, against another',
  description:
    'Totals, platforms, accounts and a series by day (by hour for a single day). `basis=published` sums the lifetime metrics of posts published in the period, `gained` what arrived in it. Unknown is `null`.',
  request: { query: schemaOf(overviewQuery) },
  responses: { 200: json(Overview, 'The overview'), ...problems(400, 503) },
})

const trendingRoute = createRoute({
  method: 'get',
  path: '/trending/hashtags',
  tags,
  'x-permission': 'analytics.read',
  summary: 'Hashtags that are used more than one would expect',
  description,
  request: { query: schemaOf(trendingQuery) },
  responses: { 200: json(TrendingHashtags, 'The hashtags'), ...problems(400, 503) },
})

const courseRoute = createRoute({
  method: 'get',
  path: '/trending/hashtags/{tag}',
  tags,
  'x-permission': 'analytics.read',
  summary: 'The course of a hashtag, and its top posts',
  request: { params: schemaOf(coursePath), query: schemaOf(courseQuery) },
  responses: { 200: json(HashtagCourse, 'Its course'), ...problems(400, 404, 503) },
})

const publicTrendingRoute = createRoute({
  method: 'get',
  path: '/public/trending/hashtags',
  tags,
  'x-permission': 'public',
  security: [],
  summary: 'Trends that anybody may see, without a key',
  description: `Only posts that anyone can read without credentials count. ${description}`,
  request: { query: schemaOf(publicTrendingQuery) },
  responses: { 200: json(TrendingHashtags, 'The hashtags'), ...problems(400, 503) },
})

const publicCourseRoute = createRoute({
  method: 'get',
  path: '/public/trending/hashtags/{tag}',
  tags,
  'x-permission': 'public',
  security: [],
  summary: 'The public course of a hashtag',
  request: { params: schemaOf(coursePath) },
  responses: { 200: json(HashtagCourse, 'Its course'), ...problems(400, 404, 503) },
})

export const documentedReads = describing(overviewRoute, trendingRoute, courseRoute)
export const documentedPublicReads = describing(publicTrendingRoute, publicCourseRoute)

/** Routes that are told of and not served. */
function describing(...routes: ReturnType<typeof createRoute>[]) {
  const api = createApi()
  for (const route of routes) api.openAPIRegistry.registerPath(route)
  return api
}
