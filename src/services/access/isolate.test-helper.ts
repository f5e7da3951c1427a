import type { TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import type { Db } from '../../db/client.ts'
import { createDirectory } from './identify.ts'

export class ManualClock {
  atMs = Date.now()
  now = () => this.atMs
}

/** An isolate's directory, with a count of what it asks the database; `hold` makes the answers wait. */
export function makeIsolate(database: TestDatabase, clock: ManualClock) {
  let asked = 0
  let held: Promise<void> | null = null
  const work: Promise<unknown>[] = []
  const db: Db = {
    inWorkspace: (...args) => database.db.inWorkspace(...args),
    async outside(query, options) {
      asked += 1
      const rows = await database.db.outside(query, options)
      await held
      return rows
    },
  }
  return {
    directory: createDirectory({ db, clock, log: silentLogger, waitUntil: (promise) => work.push(promise) }),
    settled: () => Promise.all(work.splice(0)),
    /** Lookups since the last time; those in the background are not counted once `settled`. */
    asked: () => asked,
    hold(until: Promise<void>) {
      held = until
    },
  }
}

export interface User {
  id: string
  name: string
  /** Of a session that stands. */
  sessionId: string
}

/** Somebody who is signed in. */
export async function makeUser(database: TestDatabase): Promise<User> {
  const user = { id: crypto.randomUUID(), name: 'Ada', sessionId: crypto.randomUUID() }
  await database.sql('INSERT INTO auth_users (id, name, email) VALUES ($1, $2, $3)', [
    user.id,
    user.name,
    `${user.id}@Example.com`,
  ])
  await signIn(database, user.id, user.sessionId)
  return user
}

/** Stores a session. @returns its id */
export async function signIn(
  database: TestDatabase,
  userId: string,
  sessionId: string = crypto.randomUUID(),
  expiresIn = '1 hour',
): Promise<string> {
  await database.sql(
    `INSERT INTO auth_sessions (id, user_id, token, expires_at) VALUES ($1, $2, $1, now() + $3::interval)`,
    [sessionId, userId, expiresIn],
  )
  return sessionId
}
