import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../drizzle', import.meta.url))

/** The first line of a file whose statements must not run inside a transaction (`CREATE INDEX CONCURRENTLY`). */
export const NO_TRANSACTION_MARK = '-- tidemark: no transaction'

export interface Migration {
  /** The file's name without `.sql`; the order of names is the order of application. */
  name: string
  sql: string
  statements: string[]
  hash: string
  inTransaction: boolean
}

/** Reads every migration, in order. */
export async function readMigrations(directory = MIGRATIONS_DIRECTORY): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => /^\d{4}_.+\.sql$/.test(file)).sort()
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(join(directory, file), 'utf8')
      return {
        name: file.replace(/\.sql$/, ''),
        sql,
        statements: sql
          .split('--> statement-breakpoint')
          .map((statement) => statement.trim())
          .filter((statement) => statement.replace(/^--.*$/gm, '').trim() !== ''),
        hash: createHash('sha256').update(sql).digest('hex'),
        inTransaction: !sql.startsWith(NO_TRANSACTION_MARK),
      }
    }),
  )
}
