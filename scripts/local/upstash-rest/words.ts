/** A word of a command; bytes where a request's body is the value. */
export type Word = string | Buffer

export type Command = readonly [name: string, ...words: Word[]]

/** A request that is no command; answered with 400. */
export class RequestError extends Error {}

/**
 * Reads `["SET", "key", 1]`.
 * @throws RequestError unless it is an array of strings, numbers and booleans that begins with a name.
 */
export function commandFrom(value: unknown): Command {
  if (!Array.isArray(value)) throw new RequestError('ERR failed to parse command: not an array')
  const [name, ...words] = value.map(wordFrom)
  if (name === undefined || name === '') throw new RequestError('ERR empty command')
  return [name, ...words]
}

function wordFrom(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new RequestError('ERR failed to parse command: arguments are strings, numbers and booleans')
}

/** @throws RequestError unless the text is a JSON array of commands. */
export function commandsFrom(value: unknown): Command[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new RequestError('ERR failed to parse pipeline: not an array of commands')
  }
  return value.map(commandFrom)
}

/** @throws RequestError when it is not JSON. */
export function jsonFrom(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new RequestError('ERR failed to parse the request body: not JSON')
  }
}

/**
 * Reads `/set/key?EX=10` with the body as the value: the path's words, the body, then the parameters.
 * @throws RequestError when the path is not decodable or empty.
 */
export function commandFromPath(url: URL, body: Buffer): Command {
  const [name, ...words] = url.pathname
    .split('/')
    .filter((segment, index) => index > 1 || segment !== '')
    .map(decoded)
  if (name === undefined) throw new RequestError('ERR empty command')
  const parameters = [...url.searchParams].flatMap(([option, value]) =>
    value === '' ? [option] : [option, value],
  )
  return [name, ...words, ...(body.length > 0 ? [body] : []), ...parameters]
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new RequestError('ERR failed to parse the path')
  }
}
