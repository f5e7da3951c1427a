import { getPath } from 'hono/utils/url'
import { type AppParts, createBase, requireCaller } from './app/base.ts'
import type { AppDeps } from './deps.ts'
import type { HotPath } from './http/hot-path.ts'
import { chargeAddress } from './http/limits.ts'
import { allowCrossOrigin } from './http/middleware/cross-origin.ts'
import { dashboardRoutes } from './http/routes/dashboard.ts'
import { hashtagRoutes, publicHashtagRoutes } from './http/routes/hashtags.ts'
import { createHealthRoutes } from './http/routes/health.ts'

/** The application, as the runtime asks it. */
export interface App {
  fetch(request: Request): Promise<Response>
}

/**
 * The application. Reads that are answered from the cache are served by a small part of it, which is all that
 * an isolate loads before its first answer; everything else by the whole, which is loaded when it is first asked.
 * @param hotPath told of every answer that it may give again
 */
export function createApp(depsOf: () => AppDeps, hotPath?: HotPath): App {
  const parts = { depsOf, hotPath }
  const front = createFront(parts)
  const takes = takesReadsOf(front)
  let whole: Pick<typeof front, 'fetch'> | null = null
  return {
    async fetch(request) {
      if (takes(request)) return front.fetch(request)
      if (whole === null) {
        // First of all: schemas can describe themselves only if they are made after it.
        await import('@hono/zod-openapi')
        // Not a promise that is kept: requests do not wait for one another's.
        const { createWhole } = await import('./app/whole.ts')
        whole ??= createWhole(parts)
      }
      return whole.fetch(request)
    },
  }
}

/** A part of the whole: the same routes, and before them the same steps, as far as reading takes them. */
function createFront(parts: AppParts) {
  const app = createBase(parts)
  app.route('/', createHealthRoutes())
  app.use('/api/*', allowCrossOrigin)
  app.use('/api/v1/public/*', chargeAddress)
  app.route('/api/v1', publicHashtagRoutes)
  requireCaller(app)
  app.route('/api/v1', dashboardRoutes)
  app.route('/api/v1', hashtagRoutes)
  return app
}

/** Whether an application has a route for the address of a request that reads. */
function takesReadsOf({ routes }: ReturnType<typeof createFront>): (request: Request) => boolean {
  const paths = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))
  const patterns = [...paths].map((path) => new RegExp(`^${path.replace(/:[^/]+/g, '[^/]+')}$`))
  return (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const path = getPath(request)
    return patterns.some((pattern) => pattern.test(path))
  }
}
