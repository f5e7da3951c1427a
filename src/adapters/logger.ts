import type { LogFields, Logger } from '../ports.ts'

/** Field names whose values never reach a log, whatever they hold. */
const SECRET_NAME =
  /password|passphrase|secret|token|authorization|cookie|credential|(api|signing|private)[-_]?key|signature/i
const API_KEY = /tm_[A-Za-z0-9_-]{8,}/g
const BEARER = /Bearer\s+[A-Za-z0-9._~+/=-]+/gi
const CREDENTIALS_IN_URL = /(\w+:\/\/)[^/\s?#]*@/g
/** How an ORM ends the message of a failed query; in a stack the frames follow. */
const QUERY_PARAMETERS = /\nparams: [\s\S]*?(?=\n {4}at |$)/g
const MAX_TEXT = 2_000
/** Read beyond the end, so that what is cut off is not what a secret is known by. */
const MARGIN = 1_000
const MAX_DEPTH = 4

function redactText(text: string): string {
  return text
    .slice(0, MAX_TEXT + MARGIN)
    .replace(QUERY_PARAMETERS, '\nparams: [redacted]')
    .replace(API_KEY, 'tm_[redacted]')
    .replace(BEARER, 'Bearer [redacted]')
    .replace(CREDENTIALS_IN_URL, '$1[redacted]@')
    .slice(0, MAX_TEXT)
}

/** A value as it may be logged: secrets by name and by shape are taken out, errors become plain data. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  // JSON has no numbers of this kind, and a log must not fail over one.
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth >= MAX_DEPTH) return '[deeper]'
  if (value instanceof Error)
    return {
      name: value.name,
      message: redactText(value.message),
      ...('code' in value ? { code: redact(value.code, depth + 1) } : {}),
      ...('sqlState' in value ? { sqlState: redact(value.sqlState, depth + 1) } : {}),
      ...(value.stack === undefined ? {} : { stack: redactText(value.stack) }),
      ...(value.cause === undefined ? {} : { cause: redact(value.cause, depth + 1) }),
    }
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => redact(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_NAME.test(name) && item !== null && item !== undefined ? '[redacted]' : redact(item, depth + 1),
    ]),
  )
}

/** One JSON line an event, on the console, which the platform collects. */
export function createLogger(fields: LogFields = {}, write: (line: string) => void = console.log): Logger {
  const emit = (level: string, message: string, more: LogFields = {}) =>
    write(
      JSON.stringify({
        level,
        message,
        at: new Date().toISOString(),
        ...asFields(redact({ ...fields, ...more })),
      }),
    )
  return {
    debug: (message, more) => emit('debug', message, more),
    info: (message, more) => emit('info', message, more),
    warn: (message, more) => emit('warn', message, more),
    error: (message, more) => emit('error', message, more),
    with: (more) => createLogger({ ...fields, ...more }, write),
  }
}

function asFields(value: unknown): LogFields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
