import { randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { startEmbeddedRedis } from './upstash-rest/embedded-redis/index.ts'
import { startRedisProcess } from './upstash-rest/redis-process.ts'

export interface StartRedisOptions {
  /** Where a private server keeps its data; none: they end with it. Of no use to the other kinds. */
  dataDir?: string
  /** An existing Redis (`redis://` or `rediss://`), which is used as it is and never flushed. */
  url?: string
  /** Where servers are looked for; the PATH unless given. Empty: the embedded one. */
  searchPath?: string
  log?: (message: string) => void
}

export interface RedisHandle {
  kind: 'external' | 'server' | 'embedded'
  /** A connection of the caller's own, in reconnecting mode unless the options say otherwise. */
  createConnection(options?: RedisOptions): Redis
  /**
   * Kills a private server as the system might, and starts it again after `downMs`; resolves when it answers.
   * @throws where it is of another kind.
   */
  kill(downMs: number): Promise<void>
  /** Ends all connections made here, and the server, unless it is an external one. May be called twice. */
  stop(): Promise<void>
}

interface Source {
  kind: RedisHandle['kind']
  connect(options: RedisOptions): Redis
  /** None where there is no process of its own. */
  kill?: (downMs: number) => Promise<void>
  stop(): Promise<void>
}

const SERVER_NAMES = ['redis-server', 'valkey-server']
const REACH_TIMEOUT_MS = 3000

/**
 * Provides a Redis: the given one, else a private server of the machine's own redis-server or valkey-server,
 * else one embedded in this process (in memory; see `startEmbeddedRedis` for what it knows).
 * @throws Error when the given Redis does not answer, or the private server does not start.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisHandle> {
  const log = options.log ?? (() => {})
  const source = await chooseSource(options, log)
  const connections = new Set<Redis>()
  let stopped: Promise<void> | undefined
  const stop = async () => {
    for (const connection of connections) connection.disconnect()
    await source.stop()
  }
  return {
    kind: source.kind,
    createConnection: (overrides = {}) => {
      const connection = source.connect(overrides)
      connections.add(connection)
      connection.once('end', () => connections.delete(connection))
      logOutages(connection, log)
      return connection
    },
    kill: async (downMs) => {
      if (source.kill === undefined) throw new Error(`A Redis of the kind ${source.kind} cannot be killed`)
      await source.kill(downMs)
    },
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

async function chooseSource(options: StartRedisOptions, log: (message: string) => void): Promise<Source> {
  if (options.url) return externalSource(options.url)
  const binary = findRedisServer(options.searchPath)
  if (binary === undefined) return embeddedSource()
  const server = await startRedisProcess({
    binary,
    log,
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
  })
  return {
    kind: 'server',
    connect: (overrides) => new Redis({ path: server.socketPath, ...overrides }),
    kill: server.kill,
    stop: server.stop,
  }
}

async function embeddedSource(): Promise<Source> {
  const password = randomBytes(24).toString('base64url')
  const server = await startEmbeddedRedis({ password })
  return {
    kind: 'embedded',
    connect: (overrides) => new Redis({ host: '127.0.0.1', port: server.port, password, ...overrides }),
    stop: server.stop,
  }
}

async function externalSource(url: string): Promise<Source> {
  const probe = new Redis(url, {
    lazyConnect: true,
    connectTimeout: REACH_TIMEOUT_MS,
    commandTimeout: REACH_TIMEOUT_MS,
    retryStrategy: () => null,
  })
  // The rejection of connect() says the same.
  probe.on('error', () => {})
  try {
    await probe.connect()
    await probe.ping()
  } catch (error) {
    // Only the host: the address may hold a password.
    const where = URL.parse(url)?.host ?? 'the given address'
    throw new Error(`No Redis answers at ${where}`, { cause: error })
  } finally {
    probe.disconnect()
  }
  return { kind: 'external', connect: (overrides) => new Redis(url, overrides), stop: async () => {} }
}

/** The first redis-server or valkey-server on a search path, the PATH unless given. */
export function findRedisServer(searchPath = process.env.PATH ?? ''): string | undefined {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '')
  return SERVER_NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Says once an outage that, and why, a connection is lost, instead of at every attempt to reconnect. */
function logOutages(connection: Redis, log: (message: string) => void): void {
  let reason = 'it was closed'
  let isDown = false
  connection.on('error', (error: Error) => {
    reason = error.message
  })
  connection.on('reconnecting', () => {
    if (!isDown) log(`The connection to Redis is lost: ${reason}`)
    isDown = true
  })
  connection.on('ready', () => {
    if (isDown) log('Redis answers again')
    isDown = false
  })
}
