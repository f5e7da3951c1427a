import { parseDurationMs } from './duration.ts'
import type { HeaderMap } from './types.ts'

const DAY_MS = 86_400_000
const MAX_EXPRESSION_LENGTH = 1000

/** The headers of an answer that say when to try again, the strongest first. */
const RETRY_AFTER_HEADERS = [
  'retry-after',
  'x-ratelimit-reset',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
]

/** Date.parse alone would make a date of almost anything. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Milliseconds for the number of retries made so far (0 before the first). */
export type RetryDelay = (retried: number) => number

export class RetryDelayError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RetryDelayError'
  }
}

interface MathFunction {
  minArguments: number
  maxArguments: number
  call: (...args: number[]) => number
}

const unary = (call: (x: number) => number): MathFunction => ({
  minArguments: 1,
  maxArguments: 1,
  call: (x = Number.NaN) => call(x),
})

const FUNCTIONS: ReadonlyMap<string, MathFunction> = new Map<string, MathFunction>([
  ['pow', { minArguments: 2, maxArguments: 2, call: (x = Number.NaN, y = Number.NaN) => x ** y }],
  ['min', { minArguments: 1, maxArguments: 16, call: Math.min }],
  ['max', { minArguments: 1, maxArguments: 16, call: Math.max }],
  ['sqrt', unary(Math.sqrt)],
  ['abs', unary(Math.abs)],
  ['exp', unary(Math.exp)],
  ['floor', unary(Math.floor)],
  ['ceil', unary(Math.ceil)],
  ['round', unary(Math.round)],
])

/**
 * Compiles an `Upstash-Retry-Delay` expression: numbers, `retried`, `+ - * / %`, parentheses and
 * the functions pow, sqrt, abs, exp, floor, ceil, round, min, max. Nothing is evaluated as code.
 * @throws RetryDelayError when the text is no such expression.
 */
export function parseRetryDelay(expression: string): RetryDelay {
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    throw new RetryDelayError(`longer than ${MAX_EXPRESSION_LENGTH} characters`)
  }
  return new Parser(tokenise(expression)).parse()
}

interface Token {
  kind: 'number' | 'name' | 'symbol' | 'end'
  text: string
  at: number
}

const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|([-+*/%(),]))/y

function tokenise(expression: string): Token[] {
  const tokens: Token[] = []
  const end = expression.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(expression)
    if (!match) throw new RetryDelayError(`unexpected character at position ${at + 1}`)
    const [, number, name, symbol] = match
    if (number !== undefined) tokens.push({ kind: 'number', text: number, at })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at })
    else tokens.push({ kind: 'symbol', text: symbol ?? '', at })
  }
  tokens.push({ kind: 'end', text: '', at: end })
  return tokens
}

/** Recursive descent: sum → product → factor; the length limit bounds the depth. */
class Parser {
  private readonly tokens: Token[]
  private index = 0

  constructor(tokens: Token[]) {
    this.tokens = tokens
  }

  parse(): RetryDelay {
    const root = this.sum()
    const token = this.peek()
    if (token.kind !== 'end') throw this.unexpected(token)
    return root
  }

  private sum(): RetryDelay {
    let left = this.product()
    for (;;) {
      const a = left
      if (this.take('+')) {
        const b = this.product()
        left = (n) => a(n) + b(n)
      } else if (this.take('-')) {
        const b = this.product()
        left = (n) => a(n) - b(n)
      } else return left
    }
  }

  private product(): RetryDelay {
    let left = this.factor()
    for (;;) {
      const a = left
      if (this.take('*')) {
        const b = this.factor()
        left = (n) => a(n) * b(n)
      } else if (this.take('/')) {
        const b = this.factor()
        left = (n) => a(n) / b(n)
      } else if (this.take('%')) {
        const b = this.factor()
        left = (n) => a(n) % b(n)
      } else return left
    }
  }

  private factor(): RetryDelay {
    if (this.take('-')) {
      const inner = this.factor()
      return (n) => -inner(n)
    }
    if (this.take('+')) return this.factor()
    if (this.take('(')) {
      const inner = this.sum()
      this.expect(')')
      return inner
    }
    const token = this.peek()
    if (token.kind === 'number') {
      this.index += 1
      const value = Number(token.text)
      return () => value
    }
    if (token.kind === 'name') {
      this.index += 1
      return this.named(token)
    }
    throw this.unexpected(token)
  }

  private named(token: Token): RetryDelay {
    if (token.text === 'retried') return (n) => n
    const fn = FUNCTIONS.get(token.text)
    if (!fn) throw new RetryDelayError(`unknown name "${token.text}"`)
    this.expect('(')
    const args = [this.sum()]
    while (this.take(',')) args.push(this.sum())
    this.expect(')')
    if (args.length < fn.minArguments || args.length > fn.maxArguments) {
      throw new RetryDelayError(`wrong number of arguments for ${token.text}`)
    }
    return (n) => fn.call(...args.map((arg) => arg(n)))
  }

  private peek(): Token {
    const token = this.tokens[this.index]
    if (!token) throw new RetryDelayError('unexpected end')
    return token
  }

  private take(symbol: string): boolean {
    const token = this.peek()
    if (token.kind !== 'symbol' || token.text !== symbol) return false
    this.index += 1
    return true
  }

  private expect(symbol: string): void {
    if (!this.take(symbol)) throw this.unexpected(this.peek())
  }

  private unexpected(token: Token): RetryDelayError {
    return new RetryDelayError(
      token.kind === 'end' ? 'unexpected end' : `unexpected "${token.text}" at position ${token.at + 1}`,
    )
  }
}

/** The default wait before retry number `retried + 1`: about 12 s, 2.5 min, 30 min, 6 h, then a day. */
export function defaultBackoffMs(retried: number): number {
  return Math.min(DAY_MS, Math.exp(2.5 * (retried + 1)) * 1000)
}

/**
 * Reads when the destination wants to be called again: seconds, an HTTP date or a duration.
 * @returns milliseconds, or `null` where nothing usable was said; more than a day is not usable.
 */
export function retryAfterMs(header: HeaderMap, nowMs: number): number | null {
  const byName = new Map(Object.entries(header).map(([name, values]) => [name.toLowerCase(), values[0]]))
  for (const name of RETRY_AFTER_HEADERS) {
    const text = byName.get(name)?.trim()
    if (text === undefined || text === '') continue
    const delayMs = readRetryAfter(text, nowMs)
    if (delayMs !== null && delayMs <= DAY_MS) return Math.max(0, delayMs)
  }
  return null
}

function readRetryAfter(text: string, nowMs: number): number | null {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  const durationMs = parseDurationMs(text)
  if (durationMs !== null) return durationMs
  if (!HTTP_DATE.test(text)) return null
  const dateMs = Date.parse(text)
  return Number.isNaN(dateMs) ? null : dateMs - nowMs
}

/**
 * The wait before the next attempt: what the answer asked for, else the message's own expression,
 * else the default backoff; at most a day.
 * @param retried retries made so far
 * @param expression one that `parseRetryDelay` has accepted
 */
export function nextDelayMs(input: {
  retried: number
  expression: string | undefined
  responseHeader: HeaderMap
  nowMs: number
}): number {
  const asked = retryAfterMs(input.responseHeader, input.nowMs)
  if (asked !== null) return asked
  if (input.expression !== undefined) {
    const delayMs = parseRetryDelay(input.expression)(input.retried)
    // An expression may still divide by nothing.
    if (!Number.isNaN(delayMs)) return Math.min(DAY_MS, Math.max(0, delayMs))
  }
  return defaultBackoffMs(input.retried)
}
