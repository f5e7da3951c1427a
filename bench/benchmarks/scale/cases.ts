import type { Db } from '../../../src/db/client.ts'
import type { World } from './world.ts'

/** What a case is judged by. */
export type CaseKind = 'overview' | 'page' | 'search' | 'list' | 'baseline'

/** One question that is asked at every size. */
export interface ScaleCase {
  label: string
  kind: CaseKind
  /** Asks once; questions that have variants take another one each round. @returns how many rows came */
  ask(world: World, round: number): Promise<unknown>
}

/** The same database, which notes how many rows the largest answer of a statement had. */
export function countingRows(db: Db): { db: Db; mostRows(): number } {
  let most = 0
  const note = (rows: unknown[]) => {
    most = Math.max(most, rows.length)
  }
  return {
    db: {
      async inWorkspace(workspaceId, statements, options) {
        const results = await db.inWorkspace(workspaceId, statements, options)
        for (const rows of Object.values(results)) if (Array.isArray(rows)) note(rows)
        return results
      },
      async outside(query, options) {
        const rows = await db.outside(query, options)
        note(rows)
        return rows
      },
    },
    mostRows: () => most,
  }
}
