import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type AppDeps, type Bindings, createDeps } from '../../src/deps.ts'

/** What every upstream says of itself when it fails, and nobody outside may read. */
export const UPSTREAM_SECRET = 'Hx7UpstreamSecretHx7'
/** Known to the database, whatever else is wrong with it; has every scope. */
export const API_KEY = `tm_${'k'.repeat(43)}`

/** How upstreams fail: with their own errors, with a page, with nonsense, or not at all reachable. */
export const FAILURES = ['refuses', 'breaks', 'talks nonsense', 'hangs up'] as const
type Failure = (typeof FAILURES)[number]

interface Upstreams {
  url: string
  /** How they fail from now on; sets what the application remembers of them back. */
  fail(failure: Failure, variables?: Record<string, string>): AppDeps
  close(): Promise<void>
}

const KEY_ROW = {
  id: '0193b3a0-0000-7000-8000-000000000001',
  workspaceId: '0193b3a0-0000-7000-8000-000000000002',
  workspaceName: 'Work',
  timezone: 'UTC',
  name: 'Key',
  scopes: '{read,write,admin,operator}',
  expiresAt: null,
}
const TEXT_ARRAY_OID = 1009
const TEXT_OID = 25

/** One server that plays Postgres (by HTTP), Redis (by REST) and the queue, each of them failing. */
export async function startFailingUpstreams(): Promise<Upstreams> {
  let failure: Failure = 'refuses'
  const server = createServer((request, response) => {
    answer(request, response, failure).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${portOf(server.address())}`
  return {
    url,
    fail(next, variables = {}) {
      failure = next
      return createDeps(
        { ...bindings(url), ...variables },
        { waitUntil: (work) => void work.catch(() => {}), openColoCache },
      )
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, failure: Failure): Promise<void> {
  const body = await text(request)
  // Who asks is known, so that what fails is what they ask for.
  if (body.includes('app_api_key(')) return void response.end(JSON.stringify(knownKey()))
  if (failure === 'hangs up') return void response.destroy()
  const said = `${UPSTREAM_SECRET} postgres://app:${UPSTREAM_SECRET}@db tm_${UPSTREAM_SECRET} at Object.<anonymous> (/srv/db.ts:1:2)`
  if (failure === 'breaks') return void response.writeHead(500).end(said)
  if (failure === 'talks nonsense')
    return void response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>${said}</h1>`)
  const error = {
    message: said,
    error: said,
    code: '42P01',
    detail: said,
    hint: said,
    table: said,
    where: said,
  }
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error))
}

function knownKey() {
  const names = Object.keys(KEY_ROW)
  return {
    command: 'SELECT',
    rowCount: 1,
    rowAsArray: false,
    fields: names.map((name) => ({ name, dataTypeID: name === 'scopes' ? TEXT_ARRAY_OID : TEXT_OID })),
    rows: [KEY_ROW],
  }
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen')
  return address.port
}

function bindings(url: string): Bindings & Record<string, unknown> {
  const fails = () => {
    throw new Error(UPSTREAM_SECRET)
  }
  return {
    DATABASE_URL: `postgres://app:${UPSTREAM_SECRET}@db.example.com/x`,
    NEON_FETCH_ENDPOINT: `${url}/sql`,
    UPSTASH_REDIS_REST_URL: url,
    UPSTASH_REDIS_REST_TOKEN: UPSTREAM_SECRET,
    QSTASH_URL: url,
    QSTASH_TOKEN: UPSTREAM_SECRET,
    QSTASH_CURRENT_SIGNING_KEY: UPSTREAM_SECRET,
    QSTASH_NEXT_SIGNING_KEY: UPSTREAM_SECRET,
    BETTER_AUTH_SECRET: `${UPSTREAM_SECRET}-and-long-enough-for-it`,
    CREDENTIALS_KEY: btoa('k'.repeat(32)),
    PUBLIC_URL: 'https://tidemark.example.com',
    CORS_ORIGINS: 'https://partner.example',
    RATE_LIMITS:
      'reads=100000/60,writes=100000/60,unauthenticated=100000/60,sign-in=100000/60,sign-up=100000/60',
    WORKSPACE_HUB: { getByName: fails },
    FANOUT_SHARD: { getByName: fails },
    ARCHIVE: asBucket({ put: fails, get: fails, delete: fails, head: fails, list: fails }),
  }
}

/** A bucket none of whose methods works. */
function asBucket(bucket: object): Bindings['ARCHIVE'] {
  return bucket as Bindings['ARCHIVE']
}

/** A data centre's cache that knows nothing. */
function openColoCache(): Cache {
  return asCache({ match: async () => undefined, put: async () => {}, delete: async () => false })
}

function asCache(cache: object): Cache {
  return cache as Cache
}
