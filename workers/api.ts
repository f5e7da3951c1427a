import { waitUntil } from 'cloudflare:workers'
import { createLogger } from '../src/adapters/logger.ts'
import { createRedis, REDIS_TIMEOUT_MS } from '../src/adapters/redis.ts'
import { createWatchList } from '../src/adapters/watch-list.ts'
import { createIsolate } from '../src/app/isolate.ts'
import { createApp } from '../src/app.ts'
import type { Bindings } from '../src/deps.ts'
import { parseEnv } from '../src/env.ts'
import { createHotPath } from '../src/http/hot-path.ts'
import { createFanoutShardClass } from './fanout-shard.ts'
import { createWorkspaceHubClass } from './workspace-hub.ts'

const { depsOf, configure } = createIsolate({ waitUntil, openColoCache: () => caches.default })
const hotPath = createHotPath()
const app = createApp(depsOf, hotPath)

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    const refusal = configure(env)
    if (refusal !== null) return refusal
    const known = hotPath.recall(request)
    const again = known === null ? null : await hotPath.answer(known, request, depsOf().http)
    return again ?? (await app.fetch(request))
  },
}

/** Live updates of a workspace; while anybody listens, its newest posts are kept fresh. */
export class WorkspaceHub extends createWorkspaceHubClass<Bindings>({
  shards: (env) => env.FANOUT_SHARD ?? missing('FANOUT_SHARD'),
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

/** Live connections of a workspace with more than one object serves well. */
export class FanoutShard extends createFanoutShardClass<Bindings>({
  hubs: (env) => env.WORKSPACE_HUB,
  onError: (_env, error, context) => createLogger().error('live shard', { ...context, error }),
}) {}

function missing(binding: string): never {
  throw new Error(`The binding ${binding} is missing.`)
}
