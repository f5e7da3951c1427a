import { inject } from 'vitest'
import type { TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { createCallerRecords } from '../../adapters/caller-records.ts'
import { createRedis } from '../../adapters/redis.ts'
import type { Db } from '../../db/client.ts'
import { AppError } from '../../errors.ts'
import type { CallerRecords } from '../../ports.ts'
import { createDirectory } from './identify.ts'

export class ManualClock {
  atMs = Date.now()
  now = () => this.atMs
}

/**
 * An isolate's directory, with a count of what it asks the database; `hold` makes the answers wait.
 * @param options.shares whether it shares with others, by Redis
 */
export function makeIsolate(database: TestDatabase, clock: ManualClock, options: { shares?: boolean } = {}) {
  let asked = 0
  let held: Promise<void> | null = null
  let answered = Promise.withResolvers<void>()
  const away = { database: false, redis: false }
  const work: Promise<unknown>[] = []
  const waitUntil = (promise: Promise<unknown>) => void work.push(promise)
  const db: Db = {
    inWorkspace: (...args) => database.db.inWorkspace(...args),
    async outside(query, run) {
      asked += 1
      if (away.database) throw new AppError('unavailable', 'The database does not answer at the moment.')
      const rows = await database.db.outside(query, run)
      answered.resolve()
      await held
      return rows
    },
  }
  const recordsAt = (url: string) =>
    createCallerRecords({
      redis: createRedis({ url, token: inject('redisToken'), timeoutMs: 1_000 }),
      secret: 'a secret of the tests, and of nothing else',
      ...{ clock, log: silentLogger, waitUntil },
    })
  const [near, nowhere] = [recordsAt(inject('redisUrl')), recordsAt('http://127.0.0.1:9')]
  const reached = () => (away.redis ? nowhere : near)
  const records: CallerRecords = {
    find: (fences) => reached().find(fences),
    store: (fences, record) => reached().store(fences, record),
    forget: (fences) => reached().forget(fences),
    end: (fences) => reached().end(fences),
  }
  return {
    directory: createDirectory({
      ...{ db, clock, log: silentLogger, waitUntil },
      ...(options.shares === true && { records }),
    }),
    /** What it cannot reach. */
    away,
    settled: () => Promise.all(work.splice(0)),
    /** Lookups since the last time; those in the background are not counted once `settled`. */
    asked: () => asked,
    hold(until: Promise<void>) {
      held = until
      answered = Promise.withResolvers()
    },
    /** Resolves when the database has answered a lookup since `hold`, whether or not that waits. */
    answered: () => answered.promise,
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
