import type { IncomingHttpHeaders } from 'node:http'
import { DatabaseError } from 'pg'
import { HttpError } from '../lib/http-server.ts'

/** Who connects to what; the host that a connection string names plays no part here. */
export interface Credentials {
  user: string
  password: string
  database: string
}

/** One statement with its parameters in Postgres' text form. */
export interface Statement {
  query: string
  params: (string | null)[]
  /** Rows as arrays of values rather than objects by column name. */
  arrayMode: boolean
}

export type Payload =
  | { kind: 'single'; statement: Statement }
  | { kind: 'batch'; statements: Statement[]; begin: string }

/** The protocol counts parameters in 16 bits; beyond that the count would wrap silently. */
const MAX_PARAMS = 65_535

const ISOLATION_LEVELS: Readonly<Record<string, string>> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

/**
 * Takes user, password and database from the Neon-Connection-String header.
 * @throws HttpError 400 when the header is missing, no Postgres URL, or lacks one of the three.
 */
export function readCredentials(headers: IncomingHttpHeaders): Credentials {
  const text = header(headers, 'neon-connection-string')
  const match = /^postgres(?:ql)?:(\/\/.*)$/s.exec(text ?? '')
  // The URL parser leaves the authority of unknown schemes alone, so it is given one that it knows.
  const url = URL.parse(`http:${match?.[1] ?? ''}`)
  if (match === null || url === null) throw new HttpError(400, 'Invalid Neon-Connection-String header')
  const credentials = {
    user: decode(url.username),
    password: decode(url.password),
    database: decode(url.pathname.slice(1)),
  }
  for (const [name, value] of Object.entries(credentials)) {
    if (value === '' || value.includes('\0')) {
      throw new HttpError(400, `The connection string has no valid ${name}`)
    }
  }
  return credentials
}

/**
 * Reads a request's statements and the mode that its headers ask for.
 * @throws HttpError 400 when headers or body are not of the protocol.
 */
export function readPayload(headers: IncomingHttpHeaders, body: Buffer): Payload {
  if (header(headers, 'neon-raw-text-output') !== 'true') {
    throw new HttpError(400, 'Only raw text output is served: send Neon-Raw-Text-Output: true')
  }
  const arrayMode = header(headers, 'neon-array-mode') === 'true'
  const begin = beginStatement(headers)
  const json = parseJson(body)
  if (isRecord(json) && Array.isArray(json.queries)) {
    const statements = json.queries.map((item: unknown) => readStatement(item, arrayMode))
    return { kind: 'batch', statements, begin }
  }
  return { kind: 'single', statement: readStatement(json, arrayMode) }
}

/**
 * A JSON value as Postgres' text form of a parameter: strings as they are, arrays as array literals,
 * objects as JSON.
 */
export function toParamText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return toArrayLiteral(value)
  return JSON.stringify(value)
}

/** The body of an error answer; fields that do not apply are null, as with Neon. */
export function errorBody(error: unknown): Record<string, string | null> {
  const message = error instanceof Error ? error.message : String(error)
  const db = error instanceof DatabaseError ? error : undefined
  return {
    message,
    code: db?.code ?? null,
    detail: db?.detail ?? null,
    hint: db?.hint ?? null,
    position: db?.position ?? null,
    internalPosition: db?.internalPosition ?? null,
    internalQuery: db?.internalQuery ?? null,
    severity: db?.severity ?? null,
    where: db?.where ?? null,
    table: db?.table ?? null,
    column: db?.column ?? null,
    schema: db?.schema ?? null,
    dataType: db?.dataType ?? null,
    constraint: db?.constraint ?? null,
    file: db?.file ?? null,
    line: db?.line ?? null,
    routine: db?.routine ?? null,
  }
}

function beginStatement(headers: IncomingHttpHeaders): string {
  let begin = 'BEGIN'
  const isolation = header(headers, 'neon-batch-isolation-level')
  if (isolation !== undefined) {
    const level = Object.hasOwn(ISOLATION_LEVELS, isolation) ? ISOLATION_LEVELS[isolation] : undefined
    if (level === undefined) throw new HttpError(400, 'invalid isolation level')
    begin += ` ISOLATION LEVEL ${level}`
  }
  if (header(headers, 'neon-batch-read-only') === 'true') begin += ' READ ONLY'
  if (header(headers, 'neon-batch-deferrable') === 'true') begin += ' DEFERRABLE'
  return begin
}

function readStatement(value: unknown, defaultArrayMode: boolean): Statement {
  if (!isRecord(value) || typeof value.query !== 'string') {
    throw new HttpError(400, 'A statement needs a "query" of type string')
  }
  const params = value.params ?? []
  if (!Array.isArray(params)) throw new HttpError(400, '"params" must be an array')
  if (params.length > MAX_PARAMS) throw new HttpError(400, `A query takes at most ${MAX_PARAMS} parameters`)
  // The wire format ends the text at a NUL byte, and the rest would be read as another message.
  if (value.query.includes('\0')) throw new HttpError(400, 'The query contains a NUL character')
  const arrayMode = value.arrayMode
  return {
    query: value.query,
    params: params.map(toParamText),
    arrayMode: typeof arrayMode === 'boolean' ? arrayMode : defaultArrayMode,
  }
}

function toArrayLiteral(values: unknown[]): string {
  const items = values.map((value) => {
    if (value === null || value === undefined) return 'NULL'
    if (Array.isArray(value)) return toArrayLiteral(value)
    // Array literals escape quotes and backslashes with a backslash, and take every other character as it is.
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
  })
  return `{${items.join(',')}}`
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new HttpError(400, 'The body is no JSON')
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new HttpError(400, 'The connection string is not properly percent-encoded')
  }
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
