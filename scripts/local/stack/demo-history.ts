import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { Client } from 'pg'
import { parseEnv } from '../../../src/env.ts'
import type { World } from '../platforms/index.ts'
import type { SeedTask } from './seed-thread.ts'

export interface HistoryOptions extends Omit<SeedTask, 'world'> {
  world: World
  /** Where the world's interventions are kept. */
  interventionsFile: string
  /** A file that stands while history is being made. */
  marker: string
  log: (line: string) => void
}

/** What refers to no account, and would stay. */
const TABLES_OF_ACCOUNTS = ['accounts', 'post_snapshots', 'trending_hashtags', 'api_usage']

/** Clears what an interrupted start left half done: half a history would be taken for a whole one. */
export async function clearHalfHistory(
  options: Pick<HistoryOptions, 'ownerUrl' | 'marker' | 'workspaceId'>,
): Promise<void> {
  if (!existsSync(options.marker)) return
  await asOwner(options.ownerUrl, async (owner) => {
    for (const table of TABLES_OF_ACCOUNTS)
      await owner.query(`DELETE FROM ${table} WHERE workspace_id = $1`, [options.workspaceId])
  })
  await rm(options.marker)
}

/**
 * Fills a workspace that has no accounts with a history; leaves any other alone.
 * @returns how many accounts were connected
 */
export async function ensureHistory(options: HistoryOptions): Promise<number> {
  const { ownerUrl, marker, workspaceId, bindings, platforms, mastodonHost, world, interventionsFile, log } =
    options
  const hasAccounts = await asOwner(ownerUrl, async (owner) => {
    const { rowCount } = await owner.query('SELECT 1 FROM accounts WHERE workspace_id = $1 LIMIT 1', [
      workspaceId,
    ])
    return rowCount !== 0
  })
  if (hasAccounts) return 0
  await writeFile(marker, '')
  // Large, and needed once.
  const { seedInThreads } = await import('./seed-threads.ts')
  const { rankDemo } = await import('./seed-demo.ts')
  const { seed, epoch } = world
  const accounts = await seedInThreads(
    {
      ...{ bindings, ownerUrl, workspaceId, platforms, mastodonHost },
      world: { seed, epoch, stateFile: interventionsFile },
    },
    (percent) => log(`history: ${percent} %`),
  )
  await rankDemo({ env: parseEnv(bindings), world, workspaceId })
  await rm(marker)
  return accounts
}

async function asOwner<T>(ownerUrl: string, act: (owner: Client) => Promise<T>): Promise<T> {
  const owner = new Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    return await act(owner)
  } finally {
    await owner.end()
  }
}
