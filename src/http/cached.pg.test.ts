import { Hono } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { member } from '../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts'
import { silentLogger } from '../../test/harness/deps.ts'
import { makeAccount, reading } from '../../test/harness/factories.ts'
import type { ColoEntry, ColoTier } from '../adapters/cache/colo.ts'
import { createMemoryTier } from '../adapters/cache/memory.ts'
import { createRegionTier } from '../adapters/cache/region.ts'
import { createReadCache } from '../adapters/cache/tiers.ts'
import { createRedis } from '../adapters/redis.ts'
import type { Db } from '../db/client.ts'
import { AppError } from '../errors.ts'
import { newId } from '../lib/ids.ts'
import type { ReadCache } from '../ports.ts'
import { Breaker } from '../resilience/breaker.ts'
import { dbWithinReach } from '../services/access/reach.ts'
import type { ServiceContext } from '../services/context.ts'
import { makeRig } from '../services/imports/rig.test-helper.ts'
import { ingest } from '../services/ingest/ingest.ts'
import { createRephrase } from '../services/rephrase.ts'
import type { HttpDeps, HttpEnv } from './context.ts'
import { problemResponse } from './problem.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { hashtagRoutes } from './routes/hashtags.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let owner: ServiceContext
let clock: { atMs: number; now(): number }
let brands: { one: string; two: string }
/** Who asks, by the name in the request. */
let members: Record<string, readonly string[] | null>

beforeEach(async () => {
  const rig = await makeRig(database)
  const atMs = rig.ctx.clock.now()
  clock = { atMs, now: () => clock.atMs }
  owner = { ...rig.ctx, clock, actor: member('owner') }
  brands = { one: newId(), two: newId() }
  for (const [tag, brandId] of [...Object.entries(brands), ['none', null] as const]) {
    if (brandId !== null)
      await database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
        brandId,
        owner.workspace.id,
        tag,
      ])
    const accountId = await makeAccount(database, owner.workspace.id, { handle: tag })
    await database.sql('UPDATE accounts SET brand_id = $2 WHERE id = $1', [accountId, brandId])
    await ingest(owner, {
      workspaceId: owner.workspace.id,
      posts: [
        reading(accountId, 'a', {
          postedAt: new Date(atMs - 60_000).toISOString(),
          observedAt: new Date(atMs - 1_000).toISOString(),
          hashtags: [{ tag, display: tag }],
          metrics: { likes: 1 },
        }),
      ],
    })
  }
  members = {
    owner: null,
    ada: [brands.one],
    alan: [brands.one],
    ben: [brands.two],
    both: [brands.one, brands.two],
    alsoBoth: [brands.two, brands.one],
    nobody: [],
  }
})

/** Whose accounts each may see, by handle and by the tag that it alone uses. */
const SEES: Record<string, string[]> = {
  owner: ['none', 'one', 'two'],
  ada: ['one'],
  alan: ['one'],
  ben: ['two'],
  both: ['one', 'two'],
  alsoBoth: ['one', 'two'],
  nobody: [],
}

function sharedColo(): ColoTier {
  const entries = new Map<string, ColoEntry>()
  return {
    get: async (key) => entries.get(key) ?? null,
    put: async (key, entry) => void entries.set(key, entry),
  }
}

/** These routes use nothing else of what HTTP is given; they would fail at once over what is missing. */
function onlyCache(cache: ReadCache): HttpDeps {
  const used: Partial<HttpDeps> = { cache, services: owner }
  return used as HttpDeps
}

/** An isolate of its own with real tiers, over the same Redis and, if given, the same data centre. */
function isolate(options: { colo?: ColoTier; db?: Db } = {}) {
  const redis = createRedis({ url: inject('redisUrl'), token: inject('redisToken'), timeoutMs: 500 })
  const cache = createReadCache({
    memory: createMemoryTier(),
    colo: options.colo ?? sharedColo(),
    region: createRegionTier(redis),
    regionBreaker: new Breaker('redis', clock),
    clock,
    isOriginDown: () => false,
    isRegionDown: () => false,
    readGeneration: async () => null,
    rephrase: async () => createRephrase(owner),
    log: silentLogger,
    waitUntil: (work) => void work,
  })
  const deps = onlyCache(cache)
  const app = new Hono<HttpEnv>()
  app.use(async (c, next) => {
    const name = c.req.header('x-member') ?? ''
    const actor = member('viewer', { userId: name, brands: members[name] ?? null })
    c.set('deps', deps)
    c.set('ctx', { ...owner, actor, db: dbWithinReach(options.db ?? owner.db, actor) })
    await next()
  })
  app.onError((error, c) => problemResponse(error, { url: c.req.url, requestId: 'test' }))
  app.route('/', dashboardRoutes)
  app.route('/', hashtagRoutes)
  return {
    raise: cache.raise,
    async ask(name: string, path: string, headers: Record<string, string> = {}) {
      const response = await app.request(path, { headers: { ...headers, 'x-member': name } })
      return {
        status: response.status,
        etag: response.headers.get('etag') ?? '',
        tier: response.headers.get('server-timing'),
        body: response.status === 200 ? await response.json() : null,
      }
    },
  }
}

/** Posts once more in one account, telling nobody. */
async function postAgain(handle: string): Promise<{ rows: number; generation: number }> {
  const workspaceId = owner.workspace.id
  const [account] = await database.sql<{ id: string }>(
    'SELECT id FROM accounts WHERE workspace_id = $1 AND handle = $2',
    [workspaceId, handle],
  )
  const untold = { ...owner, generations: { raise: async () => {}, note() {} } }
  await ingest(untold, {
    workspaceId,
    posts: [
      reading(account?.id ?? '', 'b', {
        postedAt: new Date(clock.atMs - 30_000).toISOString(),
        observedAt: new Date(clock.atMs).toISOString(),
        hashtags: [{ tag: handle, display: handle }],
        metrics: { likes: 5 },
      }),
    ],
  })
  const [state] = await database.sql<{ rows: number; generation: number }>(
    `SELECT (SELECT count(*) FROM posts WHERE workspace_id = $1)::int AS rows, generation::int
     FROM workspaces WHERE id = $1`,
    [workspaceId],
  )
  return { rows: state?.rows ?? 0, generation: state?.generation ?? 0 }
}

/** How many posts an answer tells of: each has one tag. */
function postsIn(body: {
  totals?: { posts: { value: number | null } }
  items?: { uses: number }[]
}): number | null {
  return body.totals?.posts.value ?? (body.items ?? []).reduce((sum, { uses }) => sum + uses, 0)
}

const ROUTES = {
  '/dashboard/overview?period=7d': (body: { accounts: { handle: string }[] }) =>
    body.accounts.map(({ handle }) => handle).sort(),
  '/trending/hashtags?window=24h': (body: { items: { tag: string }[] }) =>
    body.items.map(({ tag }) => tag).sort(),
}

describe.each(Object.entries(ROUTES))('%s', (path, seenIn) => {
  it('is shared by members of the same reach, and by nobody else, in every tier', async () => {
    const colo = sharedColo()
    const [first, sameCentre, elsewhere] = [isolate({ colo }), isolate({ colo }), isolate()]
    const tiers: Record<string, Record<string, string | null>> = {}
    for (const [where, asked] of Object.entries({ first, sameCentre, elsewhere }))
      for (const name of Object.keys(members)) {
        const { body, tier } = await asked.ask(name, path)
        expect(seenIn(body), `${name}, ${where}`).toEqual(SEES[name])
        tiers[where] = { ...tiers[where], [name]: tier }
      }
    const askedFirst = ['owner', 'ada', 'ben', 'both', 'nobody']
    const expected = (tier: string) =>
      Object.fromEntries(
        Object.keys(members).map((name) => [
          name,
          `cache;desc="${askedFirst.includes(name) ? tier : 'memory'}"`,
        ]),
      )
    expect(tiers).toEqual({
      first: expected('origin'),
      sameCentre: expected('colo'),
      elsewhere: expected('region'),
    })
  })

  it('is not taken for unchanged by somebody of another reach', async () => {
    const { ask } = isolate()
    const [{ etag }, whole] = [await ask('ada', path), await ask('owner', path)]
    expect((await ask('alan', path, { 'if-none-match': etag })).status).toBe(304)
    for (const name of ['owner', 'ben', 'nobody'])
      expect((await ask(name, path, { 'if-none-match': etag })).status).toBe(200)
    expect((await ask('ada', path, { 'if-none-match': whole.etag })).status).toBe(200)
  })

  it('is not lent to another reach while the database does not answer', async () => {
    const colo = sharedColo()
    for (const name of ['owner', 'ada']) await isolate({ colo }).ask(name, path)
    clock.atMs += 10 * 60_000
    const down = () => Promise.reject(new AppError('unavailable', 'The database is down.'))
    const { ask } = isolate({ colo, db: { inWorkspace: down, outside: down } })
    const stale = await ask('alan', path)
    expect([seenIn(stale.body), stale.body.stale]).toEqual([['one'], true])
    for (const name of ['ben', 'both', 'nobody']) expect((await ask(name, path)).status).toBe(503)
  })

  it('is made anew for every reach that was asked for before anybody is told of a change', async () => {
    const asked = isolate()
    for (const name of ['owner', 'ada', 'nobody']) await asked.ask(name, path)
    const { rows, generation } = await postAgain('one')
    await isolate().raise(owner.workspace.id, generation)
    const told = isolate()
    for (const [name, posts] of Object.entries({ owner: rows, ada: 2, nobody: 0 })) {
      const { body, tier } = await told.ask(name, `${path}&minGeneration=${generation}`)
      expect([name, tier, body.generation]).toEqual([name, 'cache;desc="region"', generation])
      expect(postsIn(body)).toBe(posts)
    }
    expect((await told.ask('ben', `${path}&minGeneration=${generation}`)).tier).toBe('cache;desc="origin"')
  })

  it('is not made anew when it was asked long ago', async () => {
    await isolate().ask('owner', path)
    clock.atMs += 16 * 60_000
    const { generation } = await postAgain('one')
    await isolate().raise(owner.workspace.id, generation)
    const { tier } = await isolate().ask('owner', `${path}&minGeneration=${generation}`)
    expect(tier).toBe('cache;desc="origin"')
  })

  it('follows a member whose reach changes at once', async () => {
    const { ask } = isolate()
    expect(seenIn((await ask('ada', path)).body)).toEqual(['one'])
    members = { ...members, ada: [brands.two] }
    expect(seenIn((await ask('ada', path)).body)).toEqual(['two'])
    members = { ...members, ada: [] }
    expect(seenIn((await ask('ada', path)).body)).toEqual([])
  })
})

describe('the public scope', () => {
  it('is the same for everybody, whatever they may see of the workspace', async () => {
    const { ask } = isolate()
    const path = `/trending/hashtags?scope=public&window=24h&limit=${1 + Math.floor(Math.random() * 99)}`
    const answers: unknown[] = []
    for (const name of Object.keys(members)) answers.push((await ask(name, path)).body)
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  it('cannot be narrowed to brands', async () => {
    const { ask } = isolate()
    for (const name of ['owner', 'ada'])
      expect((await ask(name, `/trending/hashtags?scope=public&brands=${brands.one}`)).status).toBe(400)
  })
})
