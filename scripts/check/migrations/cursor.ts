import type { Token } from './tokens.ts'

/** Reads tokens from left to right. */
export class Cursor {
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  get done(): boolean {
    return this.at >= this.tokens.length
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead]
  }

  next(): Token | undefined {
    return this.tokens[this.at++]
  }

  /** Steps over these keywords (or signs) if they come next, all of them. */
  accept(keywords: string): boolean {
    const words = keywords.split(' ')
    if (!words.every((word, ahead) => isKeyword(this.peek(ahead), word))) return false
    this.at += words.length
    return true
  }

  /** A possibly qualified name, without the schema `public`; `''` where there is none. */
  name(): string {
    const parts: string[] = []
    while (this.peek()?.kind === 'word' || this.peek()?.kind === 'quoted') {
      parts.push(this.next()?.text ?? '')
      if (!this.accept('.')) break
    }
    return (parts[0] === 'public' ? parts.slice(1) : parts).join('.')
  }

  /** What stands in the parentheses that come next, cut at its commas; `undefined` where none come. */
  list(): Token[][] | undefined {
    if (!this.accept('(')) return undefined
    const inside = this.until(')')
    this.next()
    return cutAtCommas(inside)
  }

  /** Steps up to a keyword or sign outside of parentheses (or the end), and gives what lay before it. */
  until(...keywords: string[]): Token[] {
    const start = this.at
    let depth = 0
    for (; this.at < this.tokens.length; this.at++) {
      const token = this.tokens[this.at]
      if (depth === 0 && keywords.some((keyword) => isKeyword(token, keyword))) break
      if (isKeyword(token, '(') || isKeyword(token, '[')) depth++
      else if (isKeyword(token, ')') || isKeyword(token, ']')) depth--
    }
    return this.tokens.slice(start, this.at)
  }
}

export function isKeyword(token: Token | undefined, text: string): boolean {
  return token !== undefined && (token.kind === 'word' || token.kind === 'sign') && token.text === text
}

/** Whether these keywords stand side by side anywhere among the tokens. */
export function contains(tokens: readonly Token[], keywords: string): boolean {
  const words = keywords.split(' ')
  return tokens.some((_, at) => words.every((word, ahead) => isKeyword(tokens[at + ahead], word)))
}

/** Cuts at commas that stand outside of parentheses. */
export function cutAtCommas(tokens: readonly Token[]): Token[][] {
  const cursor = new Cursor(tokens)
  const parts: Token[][] = []
  while (!cursor.done) {
    parts.push(cursor.until(','))
    cursor.next()
  }
  return parts
}
