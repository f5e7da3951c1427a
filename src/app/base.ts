import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { AppDeps } from '../deps.ts'
import { AppError, invalidRequest, notFound } from '../errors.ts'
import type { HttpEnv } from '../http/context.ts'
import type { HotPath } from '../http/hot-path.ts'
import { chargeCaller } from '../http/limits.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { boundBody } from '../http/middleware/bodies.ts'
import { replayIdempotent } from '../http/middleware/idempotency.ts'
import { answerError, outermost } from '../http/middleware/outermost.ts'
import type { JobDeps } from '../jobs/routes.ts'

export interface AppParts {
  depsOf: () => AppDeps
  hotPath?: HotPath | undefined
}

type AppEnv = HttpEnv & { Variables: { jobs: JobDeps } }

/** What every request passes first, and what becomes of its failures. */
export function createBase({ depsOf, hotPath }: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.use('*', async (c, next) => {
    const deps = depsOf()
    c.set('deps', deps.http)
    c.set('jobs', deps.jobs)
    await next()
    hotPath?.learn(c)
  })
  app.use('*', outermost)
  app.onError((error, c) => answerError(error instanceof HTTPException ? fromFramework(error) : error, c))
  app.notFound((c) => {
    throw notFound(`page as ${new URL(c.req.url).pathname}`)
  })
  return app
}

/** What requests pass, in order, from here on: they are somebody's, in one workspace. */
export function requireCaller(app: Hono<AppEnv>): void {
  app.use('/api/v1/*', authenticate)
  app.use('/api/v1/*', chargeCaller)
  app.use('/api/v1/*', boundBody)
  app.use('/api/v1/*', replayIdempotent)
}

/** What the framework itself refuses, in our own terms. */
function fromFramework(error: HTTPException): Error {
  if (error.status === 400) return invalidRequest([{ pointer: '', detail: 'The body is not valid JSON.' }])
  if (error.status === 415)
    return new AppError('unsupported_media_type', 'Send the body as application/json.')
  if (error.status === 413) return new AppError('payload_too_large', 'The body is too large.')
  return error
}
