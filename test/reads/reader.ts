import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { createApp } from '../../src/app.ts'
import { type AppDeps, type Bindings, createDeps } from '../../src/deps.ts'
import { createHotPath } from '../../src/http/hot-path.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { newId } from '../../src/lib/ids.ts'
import type { TestDatabase } from '../harness/database.ts'
import { makeAccount, makeWorkspace } from '../harness/factories.ts'

/** What a request of the Worker's is for, by what it says. */
type Purpose = 'region' | 'caller' | 'database' | 'replica' | 'limit' | 'other'

export interface Reader {
  workspaceId: string
  /** The whole Worker, over real Postgres and Redis; in the data centre of the others, unless elsewhere. */
  isolate(options?: { elsewhere?: boolean }): Isolate
  /** From now on so many requests of each purpose are answered, and no others ever. */
  allow(purposes: Partial<Record<Purpose, number>>): { sent: Purpose[] }
  close(): void
}

export interface Isolate {
  ask(path: string): Promise<{ status: number; tier: string | null; body: string }>
  deps: AppDeps
  /** What goes on after answers has ended. */
  settled(): Promise<void>
}

/**
 * Somebody who reads a workspace of their own with a key.
 * @param variables of the deployment, beside those that it needs
 */
export async function makeReader(
  database: TestDatabase,
  variables: Record<string, string> = {},
): Promise<Reader> {
  const workspaceId = await makeWorkspace(database)
  await makeAccount(database, workspaceId)
  const key = `tm_${randomBytes(32).toString('base64url')}`
  await database.sql(
    `INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes)
     VALUES ($1, $2, 'A key', 'tm_1234567', $3, '{read}')`,
    [newId(), workspaceId, await sha256Hex(key)],
  )
  const real = globalThis.fetch
  let allowed: Partial<Record<Purpose, number>> | null = null
  let sent: Purpose[] = []
  globalThis.fetch = (input, init) => {
    const asksReplica = isOf(variables.DATABASE_READ_URL, new Headers(init?.headers))
    const told = purposeOf(String(input), typeof init?.body === 'string' ? init.body : '')
    const purpose = told === 'database' && asksReplica ? 'replica' : told
    sent.push(purpose)
    if (allowed === null) return real(input, init)
    const left = allowed[purpose] ?? 0
    allowed[purpose] = left - 1
    if (left > 0) return real(input, init)
    return new Promise<never>((_resolve, reject) => {
      // Whoever waits for a replica has something else to turn to; for the others it is over.
      if (purpose === 'replica') init?.signal?.addEventListener('abort', reject)
    })
  }
  const shared = new Map<string, Response>()
  return {
    workspaceId,
    isolate({ elsewhere = false } = {}) {
      let background: Promise<unknown>[] = []
      const cache = coloCache(elsewhere ? new Map<string, Response>() : shared)
      const deps = createDeps(
        { ...bindings(database), ...variables },
        {
          waitUntil: (work) => void background.push(work.catch(() => {})),
          openColoCache: () => cache,
        },
      )
      const hotPath = createHotPath()
      const app = createApp(() => deps, hotPath)
      return {
        deps,
        async ask(path) {
          const request = new Request(`https://tidemark.example.com${path}`, {
            headers: { authorization: `Bearer ${key}` },
          })
          const known = hotPath.recall(request)
          const again = known === null ? null : await hotPath.answer(known, request, deps.http)
          const response = again ?? (await app.fetch(request))
          const body = await response.text()
          const timing = response.headers.get('server-timing') ?? ''
          return { status: response.status, tier: /cache;desc="(\w+)"/.exec(timing)?.[1] ?? null, body }
        },
        async settled() {
          while (background.length > 0) {
            const work = background
            background = []
            await Promise.all(work)
          }
        },
      }
    },
    allow(purposes) {
      allowed = { ...purposes }
      sent = []
      return {
        get sent() {
          return sent
        },
      }
    },
    close() {
      globalThis.fetch = real
    },
  }
}

/** Whether a statement goes to a database. */
function isOf(address: string | undefined, headers: Headers): boolean {
  const asked = headers.get('neon-connection-string')
  return asked !== null && address !== undefined && new URL(asked).pathname === new URL(address).pathname
}

function purposeOf(url: string, body: string): Purpose {
  if (url.endsWith('/sql')) return 'database'
  if (body.includes('tm:v:')) return 'region'
  if (body.includes('tm:caller')) return 'caller'
  if (body.includes('tm:limit')) return 'limit'
  return 'other'
}

function bindings(database: TestDatabase): Bindings & Record<string, unknown> {
  const secret = 'a-secret-of-a-test-that-is-long-enough'
  const unused = () => {
    throw new Error('Reads need nothing of this')
  }
  return {
    DATABASE_URL: database.appUrl,
    NEON_FETCH_ENDPOINT: inject('neonEndpoint'),
    UPSTASH_REDIS_REST_URL: inject('redisUrl'),
    UPSTASH_REDIS_REST_TOKEN: inject('redisToken'),
    QSTASH_URL: 'http://127.0.0.1:9',
    QSTASH_TOKEN: secret,
    QSTASH_CURRENT_SIGNING_KEY: secret,
    QSTASH_NEXT_SIGNING_KEY: secret,
    BETTER_AUTH_SECRET: secret,
    CREDENTIALS_KEY: btoa('k'.repeat(32)),
    PUBLIC_URL: 'https://tidemark.example.com',
    RATE_LIMITS: 'reads=6000/60',
    WORKSPACE_HUB: { getByName: unused },
    FANOUT_SHARD: { getByName: unused },
    ARCHIVE: asBucket({ put: unused, get: unused, delete: unused, head: unused, list: unused }),
  }
}

function asBucket(bucket: object): Bindings['ARCHIVE'] {
  return bucket as Bindings['ARCHIVE']
}

/** A data centre's cache as far as it is used. */
function coloCache(entries: Map<string, Response>): Cache {
  const cache = {
    match: async (address: string) => entries.get(address)?.clone(),
    put: async (address: string, response: Response) => void entries.set(address, response),
  }
  return asCache(cache)
}

function asCache(cache: object): Cache {
  return cache as Cache
}
