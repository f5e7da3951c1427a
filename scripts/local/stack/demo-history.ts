import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { Client } from 'pg'
import type { World } from '../platforms/index.ts'
import type { SeedOptions } from './seed-demo.ts'

export interface HistoryOptions extends Omit<SeedOptions, 'analyse'> {
  /** As the owner, who sees every workspace. */
  ownerUrl: string
  /** A file that stands while history is being made. */
  marker: string
}

/** What refers to no account, and would stay. */
const TABLES_OF_ACCOUNTS = ['accounts', 'post_snapshots', 'trending_hashtags']

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
  const { ownerUrl, marker, workspaceId } = options
  const hasAccounts = await asOwner(ownerUrl, async (owner) => {
    const { rowCount } = await owner.query('SELECT 1 FROM accounts WHERE workspace_id = $1 LIMIT 1', [
      workspaceId,
    ])
    return rowCount !== 0
  })
  if (hasAccounts) return 0
  await writeFile(marker, '')
  // Large, and needed once.
  const { seedDemo } = await import('./seed-demo.ts')
  const { accounts } = await seedDemo({
    ...options,
    analyse: () => asOwner(ownerUrl, async (owner) => void (await owner.query('ANALYZE'))),
  })
  await rm(marker)
  return accounts
}

/** The world, of whose accounts only those on Mastodon are to be connected. */
export function withoutBluesky(world: World): World {
  return { ...world, accounts: (platform) => (platform === 'bluesky' ? [] : world.accounts('mastodon')) }
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
