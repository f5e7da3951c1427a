import type { LogFields, Logger } from '../ports.ts'
import { isSecretName, redactError, redactText } from './redact-text.ts'

const MAX_DEPTH = 4
const MAX_ITEMS = 50

/** A value as it may be logged: secrets by name and by shape are taken out, errors become plain data. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  // JSON has no numbers of this kind, and a log must not fail over one.
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof String || value instanceof URL) return redactText(String(value))
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[deeper]'
  if (value instanceof Error) return redactError(value, (part) => redact(part, depth + 1))
  if (value instanceof Request || value instanceof Response) return redactMessage(value, depth)
  if (isKeyed(value))
    return redactEntries(
      [...value.entries()].map(([name, item]) => [nameOf(name), item]),
      depth,
    )
  if (value instanceof Set) return redact([...value], depth)
  if (Array.isArray(value)) return redactArray(value, depth)
  // A method among the fields would be asked how the whole is written.
  return redactEntries(
    Object.entries(value).filter(([, item]) => typeof item !== 'function'),
    depth,
  )
}

/** Of a request or an answer what it is about, without its body. */
function redactMessage(message: Request | Response, depth: number): unknown {
  const { url, headers } = message
  const about = message instanceof Request ? { method: message.method } : { status: message.status }
  return { ...about, url: redactText(url), headers: redact(headers, depth + 1) }
}

/** A list; of a pair that begins with a secret's name the second is left out, as headers are listed. */
function redactArray(items: readonly unknown[], depth: number): unknown {
  const [name, ...rest] = items
  if (items.length === 2 && typeof name === 'string' && isSecretName(name))
    return [name, shownAs(rest[0], depth, true)]
  return items.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1))
}

function redactEntries(entries: readonly (readonly [string, unknown])[], depth: number): unknown {
  // `{ name: 'cookie', value: '…' }`, as headers are also written.
  const named = entries.some(
    ([key, item]) => /^(?:name|key|header)$/i.test(key) && typeof item === 'string' && isSecretName(item),
  )
  return Object.fromEntries(
    entries.map(([name, item]) => [
      redactText(name),
      shownAs(item, depth, isSecretName(name) || (named && /^value$/i.test(name))),
    ]),
  )
}

/** That something secret was not there may be shown. */
function shownAs(item: unknown, depth: number, isSecret: boolean): unknown {
  return isSecret && item !== null && item !== undefined ? '[redacted]' : redact(item, depth + 1)
}

function isKeyed(value: object): value is Map<unknown, unknown> | Headers | FormData | URLSearchParams {
  return [Map, Headers, FormData, URLSearchParams].some((kind) => value instanceof kind)
}

/** A key of a map may be anything. */
function nameOf(key: unknown): string {
  if (typeof key === 'string') return key
  return typeof key === 'object' ? '[object]' : String(key)
}

/** One JSON line an event, on the console, which the platform collects. */
export function createLogger(fields: LogFields = {}, write: (line: string) => void = console.log): Logger {
  const emit = (level: string, message: string, more: LogFields = {}) =>
    write(
      JSON.stringify({
        level,
        message: redactText(message),
        at: new Date().toISOString(),
        ...shown({ ...fields, ...more }),
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

/** The fields of an entry. What throws while it is looked at is left out: a log must not fail what it tells of. */
function shown(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      try {
        return [redactText(name), shownAs(value, 0, isSecretName(name))]
      } catch {
        return [redactText(name), '[unreadable]']
      }
    }),
  )
}
