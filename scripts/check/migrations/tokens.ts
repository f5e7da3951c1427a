/** A piece of SQL. Words that are not quoted are in lower case, as Postgres reads them. */
export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'body' | 'number' | 'sign'
  /** Without quotes. */
  text: string
  /** Where it begins in the source. */
  start: number
}

export interface Comment {
  /** Without the marks. */
  text: string
  start: number
}

const PIECES: readonly [kind: Token['kind'] | 'comment' | 'space', pattern: RegExp][] = [
  ['space', /\s+/y],
  ['comment', /--[^\n]*/y],
  ['string', /e'(?:[^'\\]|''|\\[\s\S])*'/iy],
  ['string', /(?:[bx]|u&)?'(?:[^']|'')*'/iy],
  ['quoted', /"(?:[^"]|"")*"/y],
  ['body', /\$([\p{L}_][\p{L}\p{N}_]*)?\$[\s\S]*?\$\1\$/uy],
  ['number', /\d[\d_.]*(?:e[+-]?\d+)?/iy],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['sign', /::|<=|>=|<>|!=|\|\||[^\s]/y],
]

/**
 * Takes SQL apart, comments aside.
 * @throws when a comment or a quotation does not end.
 */
export function tokenize(sql: string): { tokens: Token[]; comments: Comment[] } {
  const tokens: Token[] = []
  const comments: Comment[] = []
  let at = 0
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      const end = blockCommentEnd(sql, at)
      comments.push({ text: sql.slice(at + 2, end - 2).trim(), start: at })
      at = end
      continue
    }
    const { kind, text } = pieceAt(sql, at)
    if (kind === 'comment') comments.push({ text: text.slice(2).trim(), start: at })
    else if (kind !== 'space') tokens.push({ kind, text: plain(kind, text), start: at })
    at += text.length
  }
  return { tokens, comments }
}

function pieceAt(sql: string, at: number) {
  for (const [kind, pattern] of PIECES) {
    pattern.lastIndex = at
    const text = pattern.exec(sql)?.[0]
    if (text === undefined) continue
    if (kind === 'sign' && /^["']/.test(text))
      throw new Error(`a quotation does not end: ${sql.slice(at, at + 20)}`)
    return { kind, text }
  }
  throw new Error(`cannot be read: ${sql.slice(at, at + 20)}`)
}

/** Block comments nest in Postgres. */
function blockCommentEnd(sql: string, start: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = start
  let depth = 0
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  throw new Error('a comment does not end')
}

function plain(kind: Token['kind'], text: string): string {
  switch (kind) {
    case 'word':
      return text.toLowerCase()
    case 'quoted':
      return text.slice(1, -1).replaceAll('""', '"')
    case 'string':
      return text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'")
    case 'body':
      return text.replace(/^\$[^$]*\$|\$[^$]*\$$/g, '')
    default:
      return text
  }
}
