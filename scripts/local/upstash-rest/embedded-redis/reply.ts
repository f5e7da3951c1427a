/**
 * What a command answers. Strings are byte strings (latin1: one character a byte), as everywhere in the
 * embedded Redis; numbers are integers.
 */
export type Reply = number | string | null | Status | CommandError | Reply[]

/** A status reply (`+OK`), which Lua scripts see as `{ ok = … }`. */
export class Status {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export const OK = new Status('OK')

/** An error reply; the message begins with its code, such as `ERR` or `WRONGTYPE`. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CommandError'
  }
}

export const wrongType = () =>
  new CommandError('WRONGTYPE Operation against a key holding the wrong kind of value')
export const syntaxError = () => new CommandError('ERR syntax error')
export const notAnInteger = () => new CommandError('ERR value is not an integer or out of range')
export const notAFloat = () => new CommandError('ERR value is not a valid float')
export const noSuchKey = () => new CommandError('ERR no such key')
export const wrongArgumentCount = (command: string) =>
  new CommandError(`ERR wrong number of arguments for '${command}' command`)
