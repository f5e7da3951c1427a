import { neon, neonConfig, types as pgTypes } from '@neondatabase/serverless'
import { type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { AppError } from '../errors.ts'
import { type Breaker, BreakerOpenError } from '../resilience/breaker.ts'

/**
 * A statement and what its rows look like. `Row` is what its author promises of the SELECT list (checked by
 * the tests of the query it stands in); values arrive as `createDb` says.
 */
export interface Statement<Row> {
  readonly query: SQL
  readonly row?: Row
}

type Row<S> = S extends Statement<infer R> ? R : never
type Results<S extends readonly Statement<unknown>[]> = { [K in keyof S]: Row<S[K]>[] }

export function statement<R>(query: SQL): Statement<R> {
  return { query }
}

export interface RunOptions {
  /** Gives up after this long. */
  timeoutMs?: number
  /** One snapshot for all the statements, and no writing. */
  snapshot?: boolean
  /** Shows the accounts of these brands alone, and what is read by way of them. */
  brands?: readonly string[]
}

export interface Db {
  /**
   * Runs statements as one transaction in one round trip, inside a workspace: row-level security shows them
   * nothing else. Rejects with `unavailable` when the database cannot be reached or is too slow.
   */
  inWorkspace<const S extends readonly Statement<unknown>[]>(
    workspaceId: string,
    statements: S,
    options?: RunOptions,
  ): Promise<Results<S>>
  /** Runs one statement outside any workspace: the functions of `drizzle/*_cross-workspace-functions.sql`. */
  outside<R>(query: Statement<R>, options?: RunOptions): Promise<R[]>
}

const dialect = new PgDialect()

const OID = { int8: 20, numeric: 1700, date: 1082, timestamp: 1114, timestamptz: 1184 } as const

/** `2026-11-22 10:00:00.123+00` (the session is in UTC) as RFC 3339. */
export function toRfc3339(text: string): string {
  return `${text.replace(' ', 'T').replace(/\+00(:00)?$/, '')}Z`
}

/** Counts as numbers, moments as RFC 3339 text, dates as they are: rows are ready to be sent as JSON. */
const typeParsers = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    switch (oid) {
      case OID.int8:
      case OID.numeric:
        return (text: string) => Number(text)
      case OID.timestamptz:
        return toRfc3339
      case OID.date:
      case OID.timestamp:
        return (text: string) => text
      default:
        return pgTypes.getTypeParser(oid, format)
    }
  },
}

export interface DbOptions {
  connectionString: string
  /** Where the SQL-over-HTTP endpoint is, when it is not Neon's. */
  fetchEndpoint?: string | undefined
  /** For statements that name no timeout of their own. */
  timeoutMs?: number
}

/** The database over HTTP. Holds no connection, so it may live as long as the isolate. */
export function createDb(options: DbOptions): Db {
  if (options.fetchEndpoint !== undefined) neonConfig.fetchEndpoint = options.fetchEndpoint
  const client = neon(options.connectionString, { fullResults: false, arrayMode: false, types: typeParsers })
  const defaultTimeoutMs = options.timeoutMs ?? 30_000

  async function guarded<T>(run: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
    try {
      return await run(AbortSignal.timeout(timeoutMs))
    } catch (error) {
      throw translate(error)
    }
  }

  return {
    async inWorkspace(workspaceId, statements, run = {}) {
      const fences =
        run.brands === undefined
          ? sql`SELECT set_config('app.workspace_id', ${workspaceId}, true)`
          : sql`SELECT set_config('app.workspace_id', ${workspaceId}, true),
              set_config('app.brand_ids', ${`{${run.brands.join(',')}}`}, true)`
      const queries = [fences].concat(statements.map((s) => s.query))
      const results = await guarded(
        (signal) =>
          client.transaction(
            queries.map((query) => {
              const { sql: text, params } = dialect.sqlToQuery(query)
              return client.query(text, params, { types: typeParsers })
            }),
            {
              fetchOptions: { signal },
              ...(run.snapshot ? { isolationLevel: 'RepeatableRead' as const, readOnly: true } : {}),
            },
          ),
        run.timeoutMs ?? defaultTimeoutMs,
      )
      return rowsOf(results.slice(1))
    },
    async outside(query, run = {}) {
      const { sql: text, params } = dialect.sqlToQuery(query.query)
      const rows = await guarded(
        (signal) => client.query(text, params, { fetchOptions: { signal }, types: typeParsers }),
        run.timeoutMs ?? defaultTimeoutMs,
      )
      return rowsOf(rows)
    },
  }
}

/** The driver gives untyped rows; the statement's author has promised their shape in `Statement<Row>`. */
function rowsOf<T>(rows: unknown): T {
  return rows as T
}

/** Postgres error codes that mean "try again", whatever was asked. */
const RETRYABLE_CODES = new Set(['40001', '40P01', '57014', '57P01', '57P02', '57P03', '53300', '55P03'])

function sqlState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** Whether an error of this module is a violation of the named unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const cause = error instanceof DatabaseError ? error : null
  return cause?.sqlState === '23505' && cause.constraint === constraint
}

/** A statement that Postgres refused. Carries no parameters and no SQL, so it may be logged. */
export class DatabaseError extends Error {
  readonly sqlState: string
  readonly constraint: string | null
  constructor(message: string, state: string, constraint: string | null) {
    super(message)
    this.name = 'DatabaseError'
    this.sqlState = state
    this.constraint = constraint
  }
}

function translate(error: unknown): Error {
  const state = sqlState(error)
  if (state === null || RETRYABLE_CODES.has(state) || state.startsWith('08'))
    return new AppError('unavailable', 'The database does not answer at the moment.', {
      cause: new Error(`${error instanceof Error ? error.name : 'unknown'} ${state ?? 'no answer'}`),
    })
  const constraint =
    typeof error === 'object' && error !== null && 'constraint' in error ? String(error.constraint) : null
  return new DatabaseError(error instanceof Error ? error.message : 'database error', state, constraint)
}

/** The same database behind a breaker: while it is down, callers learn so at once. */
export function withBreaker(db: Db, breaker: Breaker): Db {
  const unhealthy = (error: unknown) => error instanceof AppError && error.code === 'unavailable'
  const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await breaker.run(run, unhealthy)
    } catch (error) {
      if (!(error instanceof BreakerOpenError)) throw error
      throw new AppError('unavailable', 'The database does not answer at the moment.', {
        retryAfterMs: error.retryAfterMs,
        cause: error,
      })
    }
  }
  return {
    inWorkspace: (workspaceId, statements, options) =>
      guarded(() => db.inWorkspace(workspaceId, statements, options)),
    outside: (query, options) => guarded(() => db.outside(query, options)),
  }
}

/** The same database as a member sees it who is limited to brands: row-level security adds the condition. */
export function limitedToBrands(db: Db, brands: readonly string[]): Db {
  return {
    inWorkspace: (workspaceId, statements, options) =>
      db.inWorkspace(workspaceId, statements, { ...options, brands }),
    outside: (query, options) => db.outside(query, options),
  }
}
