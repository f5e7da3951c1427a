import type { Statement } from '../../../src/db/client.ts'

/** A statement as the API issues it, made by the function that makes it there. */
export interface CatalogueEntry {
  name: string
  /** The function of `src/db/queries/` that made it. */
  of: string
  statement: Statement<unknown>
  /** Rows of growing tables that it may read; `null`: it sums up. */
  mostRead: number | null
  /** Issued outside of any workspace. */
  outside?: true
}
