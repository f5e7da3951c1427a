import { Client } from 'pg'
import type { Credentials } from './protocol.ts'

export interface ConnectionPoolOptions {
  host: string
  port: number
  /** All connections together; must leave room below Postgres' max_connections. */
  maxConnections?: number
  /** Connections of one user to one database. */
  maxConnectionsPerKey?: number
  idleTimeoutMs?: number
  connectTimeoutMs?: number
  log?: (line: string) => void
}

/** A connection that is lent out, to be given back with `release` or `destroy`. */
export interface PooledConnection {
  readonly client: Client
  /** The connection is gone; it can only be destroyed. */
  readonly broken: boolean
}

class Connection implements PooledConnection {
  readonly client: Client
  readonly key: string
  broken = false
  idleTimer: NodeJS.Timeout | undefined

  constructor(client: Client, key: string) {
    this.client = client
    this.key = key
  }
}

interface Waiter {
  credentials: Credentials
  key: string
  resolve(connection: PooledConnection): void
  reject(error: unknown): void
}

/**
 * Undoes all that a session can keep, like DISCARD ALL but for its cached plans, which are not state that
 * anyone sees and are dear to lose (each foreign key check would be planned anew).
 */
const RESET_SESSION = [
  'CLOSE ALL',
  'SET SESSION AUTHORIZATION DEFAULT',
  'RESET ALL',
  'DEALLOCATE ALL',
  'UNLISTEN *',
  'SELECT pg_advisory_unlock_all()',
  'DISCARD TEMP',
  'DISCARD SEQUENCES',
].join(';')

/**
 * Connections by user, password and database, kept open for the next request. The password belongs to the
 * key, so that a wrong one never gets a connection that was opened with the right one.
 */
export class ConnectionPool {
  readonly #options: Required<Omit<ConnectionPoolOptions, 'log'>>
  readonly #log: (line: string) => void
  /** Every connection, opening ones included (by placeholder), so that the limits hold. */
  readonly #countByKey = new Map<string, number>()
  #count = 0
  /** Least recently used first. */
  readonly #idle = new Set<Connection>()
  readonly #lent = new Set<Connection>()
  readonly #waiting = new Set<Waiter>()
  #closed = false

  constructor(options: ConnectionPoolOptions) {
    this.#options = {
      host: options.host,
      port: options.port,
      maxConnections: options.maxConnections ?? 60,
      maxConnectionsPerKey: options.maxConnectionsPerKey ?? 20,
      idleTimeoutMs: options.idleTimeoutMs ?? 10_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    }
    this.#log = options.log ?? (() => {})
  }

  /**
   * Lends a connection, waiting for one where the limits are reached.
   * @throws what Postgres says to the login, the network's error, or the signal's reason.
   */
  acquire(credentials: Credentials, signal: AbortSignal): Promise<PooledConnection> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        if (this.#waiting.delete(waiter)) reject(signal.reason)
      }
      const waiter: Waiter = {
        credentials,
        key: JSON.stringify([credentials.user, credentials.password, credentials.database]),
        resolve: (connection) => {
          signal.removeEventListener('abort', onAbort)
          resolve(connection)
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal.addEventListener('abort', onAbort)
      this.#waiting.add(waiter)
      this.#serveWaiting()
    })
  }

  /** Takes a connection back. Its session is reset behind the answer's back, before anyone else gets it. */
  release(connection: PooledConnection): void {
    const own = this.#own(connection)
    if (own.broken || this.#closed || own.client.getTransactionStatus() !== 'I') {
      this.destroy(own)
      return
    }
    own.client.query(RESET_SESSION).then(
      () => {
        if (own.broken || this.#closed) this.destroy(own)
        else this.#park(own)
      },
      (error: unknown) => {
        this.#log(`Could not reset a connection: ${String(error)}`)
        this.destroy(own)
      },
    )
  }

  /** Takes a connection back to close it: one that is broken, or whose state nobody knows. */
  destroy(connection: PooledConnection): void {
    const own = this.#own(connection)
    this.#lent.delete(own)
    this.#end(own)
    this.#serveWaiting()
  }

  /** Closes all connections; waiting requests are refused. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiter of this.#waiting) waiter.reject(new Error('The pool is closed'))
    this.#waiting.clear()
    const connections = [...this.#idle, ...this.#lent]
    this.#idle.clear()
    await Promise.all(
      connections.map((connection) => {
        clearTimeout(connection.idleTimer)
        return connection.client.end()
      }),
    )
  }

  #own(connection: PooledConnection): Connection {
    if (connection instanceof Connection && this.#lent.has(connection)) return connection
    throw new Error('The connection is not lent out by this pool')
  }

  #park(connection: Connection): void {
    this.#lent.delete(connection)
    connection.idleTimer = setTimeout(() => this.#endIdle(connection), this.#options.idleTimeoutMs)
    connection.idleTimer.unref()
    this.#idle.add(connection)
    this.#serveWaiting()
  }

  /** Gives waiting requests, oldest first, the connections that they can have now. */
  #serveWaiting(): void {
    for (const waiter of this.#waiting) {
      const idle = this.#newestIdle(waiter.key)
      if (idle !== undefined) {
        this.#waiting.delete(waiter)
        this.#idle.delete(idle)
        clearTimeout(idle.idleTimer)
        this.#lent.add(idle)
        waiter.resolve(idle)
      } else if (this.#makeRoom(waiter.key)) {
        this.#waiting.delete(waiter)
        void this.#open(waiter)
      }
    }
  }

  #newestIdle(key: string): Connection | undefined {
    let newest: Connection | undefined
    for (const connection of this.#idle) if (connection.key === key) newest = connection
    return newest
  }

  /** Whether one more connection may be opened, at the cost of the longest idle one if need be. */
  #makeRoom(key: string): boolean {
    if ((this.#countByKey.get(key) ?? 0) >= this.#options.maxConnectionsPerKey) return false
    if (this.#count < this.#options.maxConnections) return true
    const [oldest] = this.#idle
    if (oldest === undefined) return false
    this.#endIdle(oldest)
    return true
  }

  async #open(waiter: Waiter): Promise<void> {
    this.#addToCount(waiter.key, 1)
    const { host, port, connectTimeoutMs } = this.#options
    const client = new Client({
      host,
      port,
      ...waiter.credentials,
      ssl: false,
      application_name: 'neon-http',
      connectionTimeoutMillis: connectTimeoutMs,
    })
    const connection = new Connection(client, waiter.key)
    client.on('error', () => {
      connection.broken = true
      if (this.#idle.has(connection)) this.#endIdle(connection)
    })
    try {
      await client.connect()
    } catch (error) {
      this.#addToCount(waiter.key, -1)
      client.end().catch(() => {})
      waiter.reject(error)
      this.#serveWaiting()
      return
    }
    this.#lent.add(connection)
    if (this.#closed) {
      this.destroy(connection)
      waiter.reject(new Error('The pool is closed'))
      return
    }
    waiter.resolve(connection)
  }

  #endIdle(connection: Connection): void {
    this.#idle.delete(connection)
    clearTimeout(connection.idleTimer)
    this.#end(connection)
  }

  #end(connection: Connection): void {
    this.#addToCount(connection.key, -1)
    connection.client.end().catch((error: unknown) => this.#log(`Could not end: ${String(error)}`))
  }

  #addToCount(key: string, difference: 1 | -1): void {
    this.#count += difference
    const count = (this.#countByKey.get(key) ?? 0) + difference
    if (count === 0) this.#countByKey.delete(key)
    else this.#countByKey.set(key, count)
  }
}
