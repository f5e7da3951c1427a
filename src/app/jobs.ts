import type { AppDeps } from '../deps.ts'
import { answerAlive } from '../http/routes/health.ts'
import { callbackRoutes } from '../jobs/routes.ts'
import { createBase } from './base.ts'

/** What answers the queue and nobody else: its callbacks, and whether it lives. */
export function createJobsApp(depsOf: () => AppDeps) {
  const app = createBase({ depsOf })
  app.get('/healthz', answerAlive)
  app.route('/callbacks', callbackRoutes)
  return app
}
