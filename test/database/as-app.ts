import { Client, type QueryResult } from 'pg'
import type { TestDatabase } from '../harness/database.ts'

/** Insufficient privilege, also what row-level security answers to a row that may not be written. */
export const REFUSED = { code: '42501' }

interface Fences {
  /** `null`: none is set. */
  workspaceId: string | null
  /** Brands that a member is limited to; `null`: none are set. */
  brands?: readonly string[] | null
}

export interface AppConnection {
  client: Client
  /** Runs a statement as the Worker's role, in a transaction that is undone. */
  run(fences: Fences, text: string, params?: unknown[]): Promise<QueryResult>
  end(): Promise<void>
}

/** A connection of the Worker's role, as plain as one who got hold of its password would have. */
export async function connectAsApp(database: TestDatabase): Promise<AppConnection> {
  const client = new Client({ connectionString: database.appUrl })
  await client.connect()
  return {
    client,
    async run({ workspaceId, brands = null }, text, params = []) {
      await client.query('BEGIN')
      try {
        if (workspaceId !== null)
          await client.query("SELECT set_config('app.workspace_id', $1, true)", [workspaceId])
        if (brands !== null)
          await client.query("SELECT set_config('app.brand_ids', $1, true)", [`{${brands.join(',')}}`])
        return await client.query(text, params)
      } finally {
        await client.query('ROLLBACK')
      }
    },
    end: () => client.end(),
  }
}
