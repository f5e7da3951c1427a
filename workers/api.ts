import { waitUntil } from 'cloudflare:workers'
import { createLogger } from '../src/adapters/logger.ts'
import { createRedis, REDIS_TIMEOUT_MS } from '../src/adapters/redis.ts'
import { createWatchList } from '../src/adapters/watch-list.ts'
import { createApp } from '../src/app.ts'
import { type AppDeps, type Bindings, createDeps } from '../src/deps.ts'
import { ConfigurationError, parseEnv } from '../src/env.ts'
import { createHotPath } from '../src/http/hot-path.ts'
import { protectAnswer } from '../src/http/middleware/security-headers.ts'
import { createWorkspaceHubClass } from './workspace-hub.ts'

let deps: AppDeps | null = null
const hotPath = createHotPath()
const app = createApp(() => {
  if (deps === null) throw new Error('no request has come in yet')
  return deps
}, hotPath)

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    try {
      deps ??= createDeps(env, { waitUntil, openColoCache: () => caches.default })
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      createLogger().error('configuration', { problems: error.problems })
      return notConfigured(error)
    }
    const known = hotPath.recall(request)
    const again = known === null ? null : await hotPath.answer(known, request, deps.http)
    return again ?? (await app.fetch(request))
  },
}

/** Which variables are missing or malformed; never what they hold. */
function notConfigured(error: ConfigurationError): Response {
  const answer = Response.json(
    { status: 503, title: 'Not configured', problems: error.problems },
    { status: 503 },
  )
  protectAnswer(answer.headers, { path: '/', isSecure: false })
  return answer
}

/** Live updates of a workspace; while anybody listens, its newest posts are kept fresh. */
export class WorkspaceHub extends createWorkspaceHubClass<Bindings>({
  async onPresent(raw, workspaceId) {
    const env = parseEnv(raw)
    const redis = createRedis({
      url: env.UPSTASH_REDIS_REST_URL,
      token: env.UPSTASH_REDIS_REST_TOKEN,
      timeoutMs: REDIS_TIMEOUT_MS,
    })
    await createWatchList(redis, Date).mark(workspaceId)
  },
  onError(_env, error, context) {
    // Without it nobody is read ahead of their turn for a while, and that is all.
    const level = context.during === 'presence' ? 'warn' : 'error'
    createLogger()[level]('live hub', { ...context, error })
  },
}) {}
