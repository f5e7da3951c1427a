import { lineAt } from '../finding.ts'
import { isKeyword } from './cursor.ts'
import { type Comment, type Token, tokenize } from './tokens.ts'

/** One statement of a migration. */
export interface Statement {
  file: string
  /** Position among the files, in the order of application. */
  fileIndex: number
  line: number
  tokens: Token[]
  /** Comments before and inside it. */
  comments: string[]
  /** Whether it runs in one transaction with the rest of its file. */
  inTransaction: boolean
  /** Whether it is sent to the server by itself. */
  isAlone: boolean
}

export interface MigrationFile {
  file: string
  sql: string
  inTransaction: boolean
}

/** As drizzle-kit separates what is sent to the server on its own. */
const BREAKPOINT = '--> statement-breakpoint'

/**
 * The statements of migrations, in order.
 * @throws when one cannot be read.
 */
export function readStatements(files: readonly MigrationFile[]): Statement[] {
  return files.flatMap((migration, fileIndex) => {
    let offset = 0
    return migration.sql.split(BREAKPOINT).flatMap((chunk) => {
      const start = offset
      offset += chunk.length + BREAKPOINT.length
      const parts = cutChunk(migration.file, chunk)
      return parts.map(({ tokens, comments }) => ({
        file: migration.file,
        fileIndex,
        line: lineAt(migration.sql, start + (tokens[0]?.start ?? 0)),
        tokens,
        comments,
        inTransaction: migration.inTransaction,
        isAlone: parts.length === 1,
      }))
    })
  })
}

function cutChunk(file: string, chunk: string): { tokens: Token[]; comments: string[] }[] {
  const { tokens, comments } = tokenizeIn(file, chunk)
  const parts: { tokens: Token[]; comments: string[]; end: number }[] = []
  let current: Token[] = []
  const close = (end: number) => {
    if (current.length > 0) parts.push({ tokens: current, comments: [], end })
    current = []
  }
  for (const token of tokens) {
    if (isKeyword(token, ';')) close(token.start)
    else current.push(token)
  }
  close(chunk.length)
  for (const { text, start } of comments) {
    const owner = parts.find(({ end }) => start < end) ?? parts.at(-1)
    owner?.comments.push(text)
  }
  return parts
}

function tokenizeIn(file: string, chunk: string): { tokens: Token[]; comments: Comment[] } {
  try {
    return tokenize(chunk)
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
