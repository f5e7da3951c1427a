/*
 * Reads variables of a deployment. Without the validator that reads everything else: an isolate reads its
 * configuration before its first answer, and would wait longer for schemas to be made than for all the rest.
 */

/** Text that is not what it should be. Its message says what it must be, and never what it was. */
export class MalformedError extends Error {
  constructor(message = 'is malformed') {
    super(message)
    this.name = 'MalformedError'
  }
}

/** Makes a value of a variable's text. @throws MalformedError */
export type Read<T> = (text: string) => T

export interface Variable<T> {
  read: Read<T>
  /** What holds where it is not given; `null`: it has to be. */
  absent: { value: T } | null
}

export type Values<V> = { [K in keyof V]: V[K] extends Variable<infer T> ? T : never }

export const required = <T>(read: Read<T>): Variable<T> => ({ read, absent: null })
export const optional = <T>(read: Read<T>): Variable<T | undefined> => ({
  read,
  absent: { value: undefined },
})
export const withDefault = <T>(read: Read<T>, value: T): Variable<T> => ({ read, absent: { value } })

export const text: Read<string> = (given) => given

/** @param hint what it must be */
export const matching =
  (pattern: RegExp, hint?: string): Read<string> =>
  (given) => {
    if (!pattern.test(given)) throw new MalformedError(hint)
    return given
  }

export const atLeast =
  (characters: number): Read<string> =>
  (given) => {
    if (given.length < characters) throw new MalformedError(`must have at least ${characters} characters`)
    return given
  }

/** An address whose protocol matches, without a colon. */
export const address =
  (protocol: RegExp): Read<string> =>
  (given) => {
    const trimmed = given.trim()
    if (!protocol.test(URL.parse(trimmed)?.protocol.slice(0, -1) ?? '')) throw new MalformedError()
    return trimmed
  }

export const oneOf =
  <const T extends string>(...options: readonly T[]): Read<T> =>
  (given) => {
    const found = options.find((option) => option === given)
    if (found === undefined) throw new MalformedError()
    return found
  }

export const numberFrom =
  (min: number, max: number): Read<number> =>
  (given) => {
    const value = Number(given)
    if (!(value >= min && value <= max)) throw new MalformedError()
    return value
  }

export const wholeNumberFrom =
  (min: number, max: number): Read<number> =>
  (given) => {
    const value = numberFrom(min, max)(given)
    if (!Number.isInteger(value)) throw new MalformedError()
    return value
  }

/** What lies between commas, without spaces and empty parts. */
export const commaSeparated: Read<string[]> = (given) =>
  given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** What was given of a variable. @throws MalformedError */
export function readGiven<T>(variable: Variable<T>, given: unknown): T {
  // A file of variables may write numbers without quotes.
  const written = typeof given === 'number' ? String(given) : given
  if (typeof written !== 'string') throw new MalformedError()
  return variable.read(written)
}
