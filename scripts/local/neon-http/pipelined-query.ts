import type { Client, Connection, FieldDef, Submittable } from 'pg'

export type RowText = (string | null)[]

/** A statement as it goes over the wire. */
export interface WireStatement {
  query: string
  params: (string | null)[]
}

/** What Postgres answered to one statement; values are its text. */
export interface WireResult {
  fields: FieldDef[]
  rows: RowText[]
  /** Such as `INSERT 0 5`; empty where there was no command, as for comments alone. */
  commandTag: string
}

/**
 * Runs statements in one round trip: all are sent at once and followed by one synchronisation point, up to
 * which Postgres skips everything after the first that fails. Also those without parameters are prepared, so
 * that no text is ever more than one statement.
 * @throws pg's DatabaseError of the statement that failed, or the network's error.
 */
export function runPipelined(client: Client, statements: WireStatement[]): Promise<WireResult[]> {
  return new Promise((resolve, reject) => {
    client.query(new PipelinedQuery(statements, resolve, reject))
  })
}

/** pg calls its methods as messages arrive; the names are pg's. */
class PipelinedQuery implements Submittable {
  readonly #statements: WireStatement[]
  readonly #resolve: (results: WireResult[]) => void
  readonly #reject: (error: unknown) => void
  readonly #results: WireResult[] = []
  #current: WireResult = emptyResult()

  constructor(
    statements: WireStatement[],
    resolve: (results: WireResult[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#statements = statements
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    connection.stream.cork()
    for (const { query, params } of this.#statements) {
      connection.parse({ name: '', text: query, types: [] }, true)
      connection.bind({ values: params }, true)
      connection.describe({ type: 'P' }, true)
      connection.execute(null, true)
    }
    connection.sync()
    connection.stream.uncork()
  }

  handleRowDescription(message: { fields: FieldDef[] }): void {
    this.#current.fields = message.fields
  }

  handleDataRow(message: { fields: RowText }): void {
    this.#current.rows.push(message.fields)
  }

  handleCommandComplete(message: { text: string }): void {
    this.#current.commandTag = message.text
    this.#next()
  }

  handleEmptyQuery(): void {
    this.#next()
  }

  /** COPY FROM STDIN has no source here. Within a batch, Postgres ends the connection over what follows. */
  handleCopyInResponse(connection: Connection & { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail('COPY FROM STDIN is not supported over HTTP')
    // While it copies, Postgres ignores synchronisation points, so that it has not seen the one sent before.
    connection.sync()
  }

  /** COPY TO STDOUT has no place in the answer. */
  handleCopyData(): void {}

  handleError(error: unknown): void {
    this.#reject(error)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#results)
  }

  #next(): void {
    this.#results.push(this.#current)
    this.#current = emptyResult()
  }
}

function emptyResult(): WireResult {
  return { fields: [], rows: [], commandTag: '' }
}
