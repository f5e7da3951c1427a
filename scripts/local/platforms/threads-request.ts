import { ApiError, type Call } from './platform-handler.ts'

/** What of an object is asked for. */
export interface Fields {
  names: string[]
  /** The counts that are to come with each post, where they are asked for. */
  metrics: string[] | undefined
}

export interface Page {
  limit: number
  /** Seconds since 1970; the second is not meant any more. */
  since: number | undefined
  until: number | undefined
  /** Epoch milliseconds of the last post of the page before. */
  after: number | undefined
}

const MAX_PAGE = 100
const DEFAULT_PAGE = 25
/** 5 July 2023, when Threads began. */
const FIRST_SECOND = 1_688_540_400

/** A refusal by Meta's code and subcode. */
export function metaError(
  code: number,
  subcode: number | undefined,
  message: string,
  violation?: ConstructorParameters<typeof ApiError>[3],
): ApiError {
  return new ApiError(400, subcode === undefined ? String(code) : `${code}/${subcode}`, message, violation)
}

export function parameterError(message: string): ApiError {
  return metaError(100, undefined, `(#100) ${message}`, 'bad_parameter')
}

/** The error body for the name that `metaError` made, or that a sign-in is refused with; all else is an outage. */
export function errorView(error: ApiError): object {
  // Signing in is older than the rest, and has errors of a shape of its own.
  if (/^invalid_[a-z]+$/u.test(error.name))
    return { error_type: 'OAuthException', code: error.status, error_message: error.message }
  const [, code, subcode] = /^(\d+)(?:\/(\d+))?$/u.exec(error.name) ?? []
  return {
    error: {
      message: error.message,
      type: code === '190' ? 'OAuthException' : 'THApiException',
      code: Number(code ?? 2),
      ...(subcode !== undefined && { error_subcode: Number(subcode) }),
      ...(code === undefined && { is_transient: true }),
      fbtrace_id: 'AExample',
    },
  }
}

/**
 * Reads `fields`, in which a name may be followed by `{names}` or by `.metric(names)`.
 * @throws ApiError for a name that the object does not have
 */
export function fieldsOf(call: Call, known: readonly string[], metrics: readonly string[] = []): Fields {
  const fields: Fields = { names: ['id'], metrics: undefined }
  const text = call.url.searchParams.get('fields') ?? 'id'
  const parts = text.match(/[a-z_]+(?:\.metric\([a-z_,]*\))?(?:\{[a-z_,]*\})?/gu) ?? []
  if (parts.join(',') !== text) throw parameterError('Syntax error in fields')
  for (const part of parts) {
    const [, name = '', expanded] = /^([a-z_]+)(?:\.metric\(([a-z_,]*)\))?/u.exec(part) ?? []
    if (name === 'insights' && expanded !== undefined && metrics.length > 0) {
      fields.metrics = metricNames(expanded, metrics)
      continue
    }
    if (!known.includes(name)) throw parameterError(`Tried accessing nonexisting field (${name})`)
    fields.names.push(name)
  }
  return fields
}

/** The names of counts in a list. @throws ApiError for one that there is not */
export function metricNames(text: string, known: readonly string[]): string[] {
  const names = text.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  throw parameterError(`metric[0] must be one of the following values: ${known.join(', ')}`)
}

/** Reads what page of a list is asked for. */
export function pageOf(call: Call): Page {
  const params = call.url.searchParams
  const limit = Number(params.get('limit') ?? DEFAULT_PAGE)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw metaError(100, undefined, '(#100) limit is out of range', 'limit_out_of_range')
  const [since, until] = [momentOf(call, 'since'), momentOf(call, 'until')]
  if (since !== undefined && until !== undefined && since > until)
    throw parameterError('since must be before until')
  return { limit, since, until, after: readCursor(params.get('after')) }
}

function momentOf(call: Call, name: string): number | undefined {
  const text = call.url.searchParams.get(name)
  if (text === null) return undefined
  const second = Number(text)
  if (/^\d+$/u.test(text) && second >= FIRST_SECOND) return second
  throw parameterError(`Param ${name} must be a Unix timestamp from ${FIRST_SECOND} on`)
}

export function writeCursor(atMs: number): string {
  return Buffer.from(`QVFI${atMs.toString(36)}`).toString('base64url')
}

function readCursor(cursor: string | null): number | undefined {
  if (cursor === null) return undefined
  const at = /^QVFI([0-9a-z]{8})$/u.exec(Buffer.from(cursor, 'base64url').toString())?.[1]
  if (at === undefined) throw metaError(100, undefined, '(#100) Invalid cursor', 'bad_cursor')
  return Number.parseInt(at, 36)
}
