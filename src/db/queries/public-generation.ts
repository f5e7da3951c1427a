import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'

/** The generation of what anybody may see. Runs outside any workspace. */
export function publicGeneration(): Statement<{ generation: number }> {
  return statement(sql`SELECT generation FROM public_scope`)
}
