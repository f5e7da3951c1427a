import type { Client, FieldDef } from 'pg'
import { cancelQuery } from './cancel-query.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { type RowText, runPipelined, type WireResult } from './pipelined-query.ts'
import type { Credentials, Payload, Statement } from './protocol.ts'

/** One statement's result, as it goes into the answer; values are Postgres' text. */
export interface StatementResult {
  fields: FieldDef[]
  rows: RowText[] | Record<string, string | null>[]
  /** Null where the command counts no rows. */
  rowCount: number | null
  /** The first word of the command tag, such as INSERT. */
  command: string
  rowAsArray: boolean
  viaNeonProxy: true
}

export type Answer = StatementResult | { results: StatementResult[] }

/** Postgres refused the login, or could not be reached: nothing of the request was run. */
export class ConnectError extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'ConnectError'
  }
}

/** The client hung up; nobody reads the answer. */
export class CancelledError extends Error {
  constructor() {
    super('Query cancelled, connection was terminated')
    this.name = 'CancelledError'
  }
}

/**
 * Runs a request's statements as the given user: a single one by itself, a batch as one transaction.
 * @param signal aborts when the client hangs up, which cancels the statement that runs.
 * @throws ConnectError, CancelledError, or pg's DatabaseError of the first statement that failed.
 */
export async function execute(
  pool: ConnectionPool,
  credentials: Credentials,
  payload: Payload,
  signal: AbortSignal,
): Promise<Answer> {
  const connection = await pool.acquire(credentials, signal).catch((error: unknown) => {
    throw signal.aborted ? new CancelledError() : new ConnectError(error)
  })
  const { client } = connection
  // A cancel request may reach Postgres late, so the connection is given up only when it was answered.
  let cancelling: Promise<void> | undefined
  const onAbort = () => {
    cancelling = cancelQuery(client)
  }
  try {
    if (signal.aborted) throw new CancelledError()
    signal.addEventListener('abort', onAbort)
    return payload.kind === 'single'
      ? await runSingle(client, payload.statement)
      : { results: await runTransaction(client, payload.begin, payload.statements) }
  } catch (error) {
    throw cancelling === undefined ? error : new CancelledError()
  } finally {
    signal.removeEventListener('abort', onAbort)
    if (cancelling === undefined) pool.release(connection)
    else {
      await cancelling
      // The cancellation could still hit the next request's statement.
      pool.destroy(connection)
    }
  }
}

async function runSingle(client: Client, statement: Statement): Promise<StatementResult> {
  const [result] = await runPipelined(client, [statement])
  if (result === undefined) throw new Error('Postgres gave no result')
  return toStatementResult(statement, result)
}

async function runTransaction(
  client: Client,
  begin: string,
  statements: Statement[],
): Promise<StatementResult[]> {
  try {
    const bare = (query: string) => ({ query, params: [] })
    const results = await runPipelined(client, [bare(begin), ...statements, bare('COMMIT')])
    return statements.map((statement, index) => {
      const result = results[index + 1]
      if (result === undefined) throw new Error('Postgres gave no result')
      return toStatementResult(statement, result)
    })
  } catch (error) {
    // Before the answer, so that whoever reads it finds no locks left. Where this fails too, the connection
    // is broken, and Postgres rolls back by itself.
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

function toStatementResult(statement: Statement, result: WireResult): StatementResult {
  const { fields, rows, commandTag } = result
  // Such as SELECT 3, INSERT 0 3, or CREATE TABLE, which counts nothing.
  const words = commandTag.split(' ')
  const count = /^\d+$/.test(words.at(-1) ?? '') ? Number(words.at(-1)) : null
  return {
    fields,
    rows: statement.arrayMode ? rows : rows.map((row) => toObject(fields, row)),
    rowCount: count,
    command: words[0] ?? '',
    rowAsArray: statement.arrayMode,
    viaNeonProxy: true,
  }
}

function toObject(fields: FieldDef[], row: RowText): Record<string, string | null> {
  return Object.fromEntries(fields.map((field, index) => [field.name, row[index] ?? null]))
}
