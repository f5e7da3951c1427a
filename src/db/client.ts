import { type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { AppError } from '../errors.ts'
import { lazily } from '../lib/lazily.ts'
import { type Breaker, BreakerOpenError } from '../resilience/breaker.ts'
import type { PreparedStatement } from './neon.ts'

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
  /**
   * A replica may answer a snapshot, if it is of this generation of the workspace or a later one: its first
   * statement has to tell the generation. `null`, as without it: the primary alone.
   */
  atLeast?: number | null
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

export interface DbOptions {
  connectionString: string
  /** Where the SQL-over-HTTP endpoint is, when it is not Neon's. */
  fetchEndpoint?: string | undefined
  /** For statements that name no timeout of their own. */
  timeoutMs?: number
}

/** The database over HTTP. Holds no connection, so it may live as long as the isolate. */
export function createDb(options: DbOptions): Db {
  // What is answered from a cache does without the driver.
  const client = lazily(async () => {
    const { createNeonClient } = await import('./neon.ts')
    return createNeonClient(options.connectionString, options.fetchEndpoint)
  })
  const defaultTimeoutMs = options.timeoutMs ?? 30_000

  async function guarded<T>(run: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      return await run(signal)
    } catch (error) {
      // The driver wraps what ended it.
      throw translate(signal.aborted && sqlState(error) === null ? signal.reason : error)
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
        async (signal) =>
          (await client()).transaction(queries.map(prepared), { signal, snapshot: run.snapshot ?? false }),
        run.timeoutMs ?? defaultTimeoutMs,
      )
      return rowsOf(results.slice(1))
    },
    async outside(query, run = {}) {
      const rows = await guarded(
        async (signal) => (await client()).query(prepared(query.query), signal),
        run.timeoutMs ?? defaultTimeoutMs,
      )
      return rowsOf(rows)
    },
  }
}

function prepared(query: SQL): PreparedStatement {
  const { sql: text, params } = dialect.sqlToQuery(query)
  return { sql: text, params }
}

/** The driver gives untyped rows; the statement's author has promised their shape in `Statement<Row>`. */
function rowsOf<T>(rows: unknown): T {
  return rows as T
}

/** Postgres error codes that mean "try again", whatever was asked. */
const RETRYABLE_CODES = new Set(['40001', '40P01', '57014', '57P01', '57P02', '57P03', '53300', '55P03'])
/** Those of them that say that others write the same: the database is well. */
const CONTENTION_CODES = new Set(['40001', '40P01', '55P03'])

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

const STATEMENT_TIMEOUT = '57014'

/** Why there was no answer to a statement, in words that may be logged. */
class NoAnswerError extends Error {
  readonly sqlState: string | null
  constructor(name: string, state: string | null) {
    super(`${name} ${state ?? 'no answer'}`)
    this.name = name === 'TimeoutError' || state === STATEMENT_TIMEOUT ? 'TimeoutError' : 'NoAnswerError'
    this.sqlState = state
  }
}

/** Whether an error of this module says that the database does not answer, rather than what it answered. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== 'unavailable') return false
  const state = error.cause instanceof NoAnswerError ? error.cause.sqlState : null
  return state === null || !CONTENTION_CODES.has(state)
}

function translate(error: unknown): Error {
  const state = sqlState(error)
  if (state === null || RETRYABLE_CODES.has(state) || state.startsWith('08'))
    return new AppError('unavailable', 'The database does not answer at the moment.', {
      cause: new NoAnswerError(error instanceof Error ? error.name : 'unknown', state),
    })
  const constraint =
    typeof error === 'object' && error !== null && 'constraint' in error ? String(error.constraint) : null
  return new DatabaseError(error instanceof Error ? error.message : 'database error', state, constraint)
}

/** The same database behind a breaker: while it is down, callers learn so at once. */
export function withBreaker(db: Db, breaker: Breaker): Db {
  const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await breaker.run(run, isOutage)
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

/** The same database for reads whose answer serves if it is of this generation or a later one. */
export function readingAtLeast(db: Db, atLeast: number | null): Db {
  return {
    inWorkspace: (workspaceId, statements, options) =>
      db.inWorkspace(workspaceId, statements, { ...options, atLeast }),
    outside: (query, options) => db.outside(query, options),
  }
}
