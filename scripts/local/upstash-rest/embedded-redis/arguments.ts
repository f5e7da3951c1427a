import { CommandError, notAFloat, notAnInteger, syntaxError } from './reply.ts'

/** A command's arguments, without its name. */
export type Arguments = readonly string[]

/** An argument whose presence the command's arity has already established. */
export function argument(args: Arguments, index: number): string {
  const value = args[index]
  if (value === undefined) throw syntaxError()
  return value
}

/** @throws CommandError unless the text is a decimal integer that a double holds exactly. */
export function parseInteger(text: string): number {
  if (!/^(0|-?[1-9]\d*)$/.test(text)) throw notAnInteger()
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw notAnInteger()
  return value
}

/** @throws CommandError unless the text is an integer that is not negative. */
export function parseCount(text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) {
    throw new CommandError('ERR value is out of range, must be positive')
  }
  return Number(text)
}

/** @throws CommandError unless the text is a number or an infinity. */
export function parseFloatArgument(text: string, error: () => CommandError = notAFloat): number {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinity) return infinity[1] === '-' ? -Infinity : Infinity
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw error()
  return Number(text)
}

/** The shortest text that reads back as the same number. */
export function formatFloat(value: number): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  return Object.is(value, -0) ? '-0' : String(value)
}

/** Sum of two decimal numbers without binary dust: `0.1 + 0.2` is `0.3`, as long doubles give it. */
export function addFloats(left: number, right: number): number {
  return Number((left + right).toPrecision(15))
}

/** Reads options by name, whatever their case, and refuses what is left over. */
export class OptionReader {
  readonly #args: Arguments
  #index: number

  constructor(args: Arguments, start: number) {
    this.#args = args
    this.#index = start
  }

  /** The next option in upper case, or undefined at the end. */
  next(): string | undefined {
    return this.#args[this.#index++]?.toUpperCase()
  }

  /** The value that must follow an option. */
  value(): string {
    return argument(this.#args, this.#index++)
  }

  integer(): number {
    return parseInteger(this.value())
  }
}

/**
 * When a key is to expire.
 * @throws CommandError unless the time is positive (an absolute time in the past is fine).
 */
export function expiryFrom(options: {
  unit: string
  amount: string
  nowMs: number
  command: string
}): number {
  const amount = parseInteger(options.amount)
  const scale = options.unit.startsWith('P') ? 1 : 1000
  const base = options.unit.endsWith('AT') ? 0 : options.nowMs
  const expiresAtMs = base + amount * scale
  if (amount <= 0 || !Number.isSafeInteger(expiresAtMs)) {
    throw new CommandError(`ERR invalid expire time in '${options.command}' command`)
  }
  return expiresAtMs
}

/** Turns start and stop, which count from the end when negative, into `[start, end)` within a length. */
export function indexSpan(start: number, stop: number, length: number): { start: number; end: number } {
  const from = Math.max(0, start < 0 ? length + start : start)
  const to = Math.min(length - 1, stop < 0 ? length + stop : stop)
  return { start: from, end: Math.max(from, to + 1) }
}
