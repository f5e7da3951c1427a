import { join } from 'node:path'
import { findPostgresHome, type PostgresHome, readOwner } from '../lib/postgres-home.ts'
import { stopOrphan } from '../lib/postmaster.ts'
import { findUnprivilegedUser } from '../lib/unprivileged-user.ts'
import type { StackLayout } from './layout.ts'
import { stopOrphanWorkerd, WORKERD_RECORD } from './workerd-record.ts'

/**
 * Stops what a stack that was killed has left running on its data and its ports. Redis looks after itself.
 * To be called only by who holds the directory's lock.
 * @returns names of what was found.
 * @throws when something does not stop.
 */
export async function stopOrphans(layout: StackLayout, log: (line: string) => void): Promise<string[]> {
  const found: string[] = []
  const note = (name: string) => {
    log(`Found a ${name} that an earlier start had left behind, and stopped it`)
    found.push(name)
  }
  const records = [layout.sync, layout.worker].map((directory) => join(directory, WORKERD_RECORD))
  const orphaned = await Promise.all(records.map((record) => stopOrphanWorkerd(record)))
  for (const wasRunning of orphaned) if (wasRunning) note('workerd')
  const home = await postgresHome(layout)
  if (await stopOrphan(home.cluster, await readOwner(home))) note('Postgres')
  return found
}

/** Where Postgres keeps its data, which may be elsewhere: see `findPostgresHome`. */
export async function postgresHome(layout: StackLayout): Promise<PostgresHome> {
  return findPostgresHome(layout.postgres, await findUnprivilegedUser())
}
