import type { R2Bucket } from '@cloudflare/workers-types'
import { createSessionReader } from './adapters/auth/sessions.ts'
import { createColoTier } from './adapters/cache/colo.ts'
import { createMemoryTier } from './adapters/cache/memory.ts'
import { createRegionTier } from './adapters/cache/region.ts'
import { createReadCache } from './adapters/cache/tiers.ts'
import { createCallGate } from './adapters/call-gate.ts'
import { createCallerRecords } from './adapters/caller-records.ts'
import { createCredentialVault } from './adapters/credential-vault.ts'
import { createDnsOverHttpsResolver } from './adapters/dns-over-https.ts'
import { createGateOperations } from './adapters/gate-operations.ts'
import { createGuardedFetch } from './adapters/guarded-fetch.ts'
import { createHubAdapter } from './adapters/hub.ts'
import { createLogger } from './adapters/logger.ts'
import { createMailer } from './adapters/mailer.ts'
import { createObjectStore } from './adapters/object-store.ts'
import type { PlatformApps } from './adapters/platforms/index.ts'
import { createRateLimiter } from './adapters/rate-limiter.ts'
import { redactText } from './adapters/redact-text.ts'
import { createRedis, READ_REDIS_TIMEOUT_MS, REDIS_TIMEOUT_MS } from './adapters/redis.ts'
import { createWatchList } from './adapters/watch-list.ts'
import { createDb, isOutage, withBreaker } from './db/client.ts'
import { deploymentState } from './db/queries/access.ts'
import { workspaceState } from './db/queries/overview.ts'
import { publicGeneration } from './db/queries/public-generation.ts'
import { type ReplicaParts, withReplica } from './db/replica.ts'
import { type Env, parseEnv } from './env.ts'
import type { HttpDeps } from './http/context.ts'
import type { JobDeps } from './jobs/routes.ts'
import { lazily } from './lib/lazily.ts'
import { type Auth, type Clock, PUBLIC_SCOPE } from './ports.ts'
import type { FanoutShardNamespace, WorkspaceHubNamespace } from './realtime/rpc.ts'
import { Breaker } from './resilience/breaker.ts'
import { createProbe, type ProbeTarget } from './resilience/probe.ts'
import { createDirectory } from './services/access/identify.ts'
import type { ServiceDeps } from './services/context.ts'
import { READ_TIMEOUT_MS } from './services/read-timeout.ts'

/** What the platform binds to the Worker beside its variables. */
export interface Bindings {
  WORKSPACE_HUB: WorkspaceHubNamespace
  /** Of the Worker that takes live connections alone. */
  FANOUT_SHARD?: FanoutShardNamespace
  ARCHIVE: R2Bucket
}

/** What `createApp` works with. */
export interface AppDeps {
  http: HttpDeps
  jobs: JobDeps
}

/** What the entry gives of its runtime. */
export interface Runtime {
  waitUntil(work: Promise<unknown>): void
  openColoCache(): Cache
}

const POSTGRES_PROBE_TIMEOUT_MS = 2_000
const POSTGRES_PROBE_EVERY_MS = 10_000

const systemClock: Clock = { now: () => Date.now() }

/**
 * Constructs every client, once for each isolate: the only place where that is done. What no cached read needs is
 * loaded when it is first used.
 * @throws ConfigurationError when the configuration is not complete
 */
export function createDeps(raw: Bindings & object, runtime: Runtime): AppDeps {
  const env = parseEnv(raw)
  const clock = systemClock
  const log = createLogger({ service: 'tidemark' })
  const waitUntil = (work: Promise<unknown>) => runtime.waitUntil(work)

  const database = createDb({ connectionString: env.DATABASE_URL, fetchEndpoint: env.NEON_FETCH_ENDPOINT })
  const breakerOf = (name: keyof Env['BREAKERS_MODE']) =>
    new Breaker(name, clock, { ...env.BREAKERS[name], mode: env.BREAKERS_MODE[name], log })
  const postgresBreaker = breakerOf('postgres')
  const redisBreaker = breakerOf('redis')
  const primary = withBreaker(database, postgresBreaker)
  const replica: ReplicaParts | null =
    env.DATABASE_READ_URL === undefined
      ? null
      : {
          db: createDb({
            connectionString: env.DATABASE_READ_URL,
            fetchEndpoint: env.NEON_FETCH_ENDPOINT,
          }),
          ...{ breaker: breakerOf('replica'), clock, log },
        }
  const db = replica === null ? primary : withReplica(primary, replica)
  const redisAt = { url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN }
  const readRedis = createRedis({ ...redisAt, timeoutMs: READ_REDIS_TIMEOUT_MS })
  /** For those who can do nothing without Redis, and for what says how it is. */
  const redis = createRedis({ ...redisAt, timeoutMs: REDIS_TIMEOUT_MS })
  /** For those who go on without. */
  const dispensableRedis = createRedis({ ...redisAt, timeoutMs: REDIS_TIMEOUT_MS, breaker: redisBreaker })
  const probe = createProbe(
    [
      {
        breaker: postgresBreaker,
        ask: () => database.outside(deploymentState(), { timeoutMs: POSTGRES_PROBE_TIMEOUT_MS }),
        timeoutMs: POSTGRES_PROBE_TIMEOUT_MS,
        // Cached answers never ask it: without a look, nobody would be told that they cannot be renewed.
        wellEveryMs: POSTGRES_PROBE_EVERY_MS,
        counts: isOutage,
      },
      { breaker: redisBreaker, ask: () => readRedis.ping(), timeoutMs: READ_REDIS_TIMEOUT_MS },
      ...(replica === null ? [] : [replicaProbe(replica)]),
    ],
    { clock, waitUntil },
  )

  const cache = createReadCache({
    memory: createMemoryTier(),
    colo: createColoTier(() => runtime.openColoCache()),
    region: createRegionTier(readRedis),
    regionBreaker: redisBreaker,
    isOriginDown: () => postgresBreaker.state === 'open',
    isRegionDown: () => redisBreaker.state === 'open',
    async readGeneration(scope) {
      if (scope === PUBLIC_SCOPE) {
        const [state] = await db.outside(publicGeneration(), { timeoutMs: READ_TIMEOUT_MS })
        return state?.generation ?? null
      }
      const [[state]] = await db.inWorkspace(scope, [workspaceState(scope)], { timeoutMs: READ_TIMEOUT_MS })
      return state?.generation ?? null
    },
    rephrase: async () => (await import('./services/rephrase.ts')).createRephrase({ db, clock }),
    clock,
    log,
    waitUntil,
  })
  const hub = createHubAdapter(raw.WORKSPACE_HUB, raw.FANOUT_SHARD)
  const guard = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    allowPrivateHosts: env.ALLOW_PRIVATE_HOSTS,
    ...(env.ALLOW_PRIVATE_HOSTS
      ? {}
      : { resolveAddresses: createDnsOverHttpsResolver({ fetch: (url, init) => fetch(url, init) }) }),
  }
  const fetchAnywherePublic = createGuardedFetch(guard)
  // These addresses are the operator's choice and not a user's: they may stand in a private network.
  const chosenUrls = { bluesky: env.BLUESKY_APPVIEW_URL, ...env.PLATFORM_URLS }
  const fetchFor = new Map(
    Object.entries(chosenUrls).map(([platform, url]) => [
      platform,
      createGuardedFetch({ ...guard, trustedOrigins: [new URL(url).origin] }),
    ]),
  )

  const queueAccess = { url: env.QSTASH_URL, token: env.QSTASH_TOKEN }
  const callbacksUrl = env.CALLBACKS_URL ?? env.PUBLIC_URL
  const queue = lazily(async () => {
    const { createQueue } = await import('./adapters/queue.ts')
    return createQueue({ ...queueAccess, callbacksUrl })
  })
  const queueOperations = lazily(async () => {
    const { createDeadLetters, createSchedules } = await import('./adapters/queue-operations.ts')
    return { deadLetters: createDeadLetters(queueAccess), schedules: createSchedules(queueAccess) }
  })
  const verify = lazily(async () => {
    const { createSignatureCheck } = await import('./adapters/signature.ts')
    return createSignatureCheck({
      current: env.QSTASH_CURRENT_SIGNING_KEY,
      next: env.QSTASH_NEXT_SIGNING_KEY,
    })
  })
  const services: ServiceDeps = {
    db,
    generations: cache,
    queue: { publish: async (messages) => (await queue()).publish(messages) },
    hub,
    objects: createObjectStore(raw.ARCHIVE),
    connectors: lazily(async () => {
      const { createConnectors } = await import('./adapters/platforms/index.ts')
      return createConnectors({
        blueskyAppViewUrl: env.BLUESKY_APPVIEW_URL,
        allowPrivateHosts: env.ALLOW_PRIVATE_HOSTS,
        userAgent: `Tidemark (+${env.PUBLIC_URL}; social media analytics)`,
        apps: platformApps(env),
        urls: env.PLATFORM_URLS,
        limits: env.PLATFORM_LIMITS,
      })
    }),
    fetchFor: (platform) => fetchFor.get(platform) ?? fetchAnywherePublic,
    gate: createCallGate({ redis, clock, waitUntil, log }),
    gateOperations: createGateOperations(redis, clock),
    dailyBudgets: { x: Math.round(env.X_DAILY_BUDGET_USD * 1_000_000) },
    vault: env.CREDENTIALS_KEY === undefined ? null : createCredentialVault(env.CREDENTIALS_KEY),
    watchList: createWatchList(dispensableRedis, clock),
    clock,
    log,
    waitUntil,
    mailer: createMailer({ apiUrl: env.EMAIL_API_URL, apiKey: env.EMAIL_API_KEY, from: env.EMAIL_FROM }),
    publicUrl: env.PUBLIC_URL,
    syncIntervalSeconds: env.SYNC_INTERVAL_SECONDS,
  }
  const records = createCallerRecords({
    redis: readRedis,
    breaker: redisBreaker,
    secret: env.BETTER_AUTH_SECRET,
    ...{ clock, log, waitUntil },
  })
  const directory = createDirectory({ db, records, clock, log, waitUntil })
  const operatorEmails = env.OPERATOR_EMAILS.map((email) => email.toLowerCase())
  const people = lazily(async () => {
    const { createPeople } = await import('./services/people/index.ts')
    return createPeople({ ...services, directory, signupMode: env.SIGNUP_MODE, operatorEmails })
  })

  const auth = lazily(async (): Promise<Auth> => {
    const [{ createAuth }, { createNeonDriver }, tables, listener] = await Promise.all([
      import('./adapters/auth/auth.ts'),
      import('./db/neon.ts'),
      import('./db/schema/auth.ts'),
      people(),
    ])
    return createAuth({
      tables: {
        user: tables.authUsers,
        session: tables.authSessions,
        account: tables.authAccounts,
        verification: tables.authVerifications,
      },
      driver: createNeonDriver(env.DATABASE_URL, env.NEON_FETCH_ENDPOINT),
      secret: env.BETTER_AUTH_SECRET,
      publicUrl: env.PUBLIC_URL,
      trustedOrigins: env.CORS_ORIGINS,
      log,
      waitUntil,
      canMail: services.mailer !== null,
      operatorEmails,
      listener,
    })
  })

  return {
    http: {
      services,
      cache,
      limiter: createRateLimiter({ redis: dispensableRedis, clock, log, waitUntil }),
      directory,
      readSession: createSessionReader({ secret: env.BETTER_AUTH_SECRET, clock }),
      auth,
      people,
      connectLive: (workspaceId, request) => hub.connect(workspaceId, request),
      probe: async () => ({
        postgres: await answers(() =>
          database.outside(deploymentState(), { timeoutMs: POSTGRES_PROBE_TIMEOUT_MS }),
        ),
        redis: await answers(() => redis.ping()),
        queue: await answers(async () => {
          const response = await fetch(`${env.QSTASH_URL}/v2/keys`, {
            headers: { authorization: `Bearer ${env.QSTASH_TOKEN}` },
            signal: AbortSignal.timeout(2_000),
          })
          await response.body?.cancel()
          if (!response.ok) throw new Error(`answered ${response.status}`)
        }),
      }),
      breakers: () =>
        [postgresBreaker, redisBreaker, ...(replica === null ? [] : [replica.breaker])].map((one) =>
          one.report(),
        ),
      probeSoon: probe.soon,
      deadLetters: {
        list: async (page) => (await queueOperations()).deadLetters.list(page),
        retry: async (id) => (await queueOperations()).deadLetters.retry(id),
        remove: async (id) => (await queueOperations()).deadLetters.remove(id),
      },
      schedules: { list: async () => (await queueOperations()).schedules.list() },
      config: {
        publicUrl: env.PUBLIC_URL,
        callbacksUrl,
        corsOrigins: env.CORS_ORIGINS,
        operatorEmails,
        signupMode: env.SIGNUP_MODE,
        rateLimits: env.RATE_LIMITS,
        cursorSecret: env.BETTER_AUTH_SECRET,
        commit: env.COMMIT,
      },
    },
    jobs: {
      services,
      verify: async (call) => (await verify())(call),
      probe: probe.now,
      origins: [...new Set([callbacksUrl, env.PUBLIC_URL])],
    },
  }
}

/** One that is away is asked no more until it is back, and nobody waits for it. */
function replicaProbe({ db, breaker }: ReplicaParts): ProbeTarget {
  const timeoutMs = POSTGRES_PROBE_TIMEOUT_MS
  return { breaker, ask: () => db.outside(deploymentState(), { timeoutMs }), timeoutMs }
}

/** The deployment's apps at the platforms, those that are there. */
function platformApps(env: Env): PlatformApps {
  const app = (id: string | undefined, secret: string | undefined) =>
    id === undefined || secret === undefined ? undefined : { id, secret }
  return {
    youtube: env.YOUTUBE_API_KEY === undefined ? undefined : { apiKey: env.YOUTUBE_API_KEY },
    x: env.X_BEARER_TOKEN === undefined ? undefined : { bearerToken: env.X_BEARER_TOKEN },
    meta: app(env.META_APP_ID, env.META_APP_SECRET),
    threads: app(env.THREADS_APP_ID, env.THREADS_APP_SECRET),
    tiktok: app(env.TIKTOK_CLIENT_KEY, env.TIKTOK_CLIENT_SECRET),
    linkedin: app(env.LINKEDIN_CLIENT_ID, env.LINKEDIN_CLIENT_SECRET),
    reddit: app(env.REDDIT_CLIENT_ID, env.REDDIT_CLIENT_SECRET),
  }
}

async function answers(ask: () => Promise<unknown>): Promise<{ ok: boolean; detail: string | null }> {
  try {
    await ask()
    return { ok: true, detail: null }
  } catch (error) {
    // For operators, and even they need no secrets of it.
    return {
      ok: false,
      detail: error instanceof Error ? redactText(error.message).slice(0, 200) : 'no answer',
    }
  }
}
