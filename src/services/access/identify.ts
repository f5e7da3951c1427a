import { LRUCache } from 'lru-cache'
import type { Db } from '../../db/client.ts'
import {
  type ApiKeyRecord,
  apiKeyByHash,
  callersOf,
  claimOperator,
  createFirstWorkspace,
  deploymentState,
  type MembershipRow,
  type PersonRow,
  personById,
  touchApiKey,
} from '../../db/queries/access.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import { atMost } from '../../lib/lru.ts'
import type { CallerRecords, Clock, Fence, Logger } from '../../ports.ts'
import { createFences } from './fences.ts'
import { createKnownCallers } from './known-callers.ts'
import { readSharedKey, readSharedPerson } from './shared-records.ts'

/** `tm_` and 32 bytes in base64url. */
const KEY_SHAPE = /^tm_[A-Za-z0-9_-]{43}$/
/** An isolate notes the use of a key no more often. */
const TOUCHED_EVERY_MS = 60_000

/**
 * Who is who, as of five seconds ago at most; see `createKnownCallers` for what holds where a part is away.
 * Whatever is to be forgotten is so at once in this isolate; the promise is for all the others, and takes no
 * longer than Redis is given. It never rejects.
 */
export interface Directory {
  /**
   * The key's record, or `null` where there is none, or it is revoked or expired.
   * @throws AppError `unavailable` where nobody can tell
   */
  apiKey(key: string): Promise<ApiKeyRecord | null>
  /** Forgets a key that has just been revoked. */
  forgetKey(hash: string): Promise<void>
  /**
   * Who a person is now; `null` where the session has ended, or there is no such person.
   * @throws AppError `unavailable` where nobody can tell
   */
  person(userId: string, sessionId: string): Promise<Person | null>
  /** Forgets what is known of a person whose rights have just changed. */
  forgetUser(userId: string): Promise<void>
  /** Forgets sessions that have just ended. */
  forgetSession(sessionId: string): Promise<void>
  /** Forgets what a workspace is called, and its timezone. */
  forgetWorkspace(workspaceId: string): Promise<void>
  /** Whether the first person has come, who becomes the operator. */
  isClaimed(): Promise<boolean>
  /** Gives a new person a workspace, once, and makes the first one the operator. */
  welcome(user: { id: string; name: string }): Promise<void>
}

/** A person as requests see them. */
export interface Person {
  /** An operator by the database; the configuration may name others. */
  operator: boolean
  emailVerified: boolean
  /** The oldest membership first. */
  workspaces: MembershipRow[]
}

/** Who is who. Without `records` isolates share nothing, and ask the database each for itself. */
export function createDirectory(parts: {
  db: Db
  records?: CallerRecords
  clock: Clock
  log: Logger
  waitUntil(work: Promise<unknown>): void
}): Directory {
  const { db, clock } = parts
  const records = parts.records ?? null
  const fences = createFences(clock, records)
  const hashes = new LRUCache<string, string>(atMost(2_000))
  /** When the use of a key was noted, by its id. */
  const touched = new LRUCache<string, number>(atMost(10_000))

  async function hashOf(key: string): Promise<string> {
    const known = hashes.get(key)
    if (known !== undefined) return known
    const hash = await sha256Hex(key)
    hashes.set(key, hash)
    return hash
  }

  /** Whoever uses a key makes an isolate ask the database now and then: often enough to tell when it was last. */
  function touch(id: string): void {
    const now = clock.now()
    if (now - (touched.get(id) ?? Number.NEGATIVE_INFINITY) < TOUCHED_EVERY_MS) return
    touched.set(id, now)
    parts.waitUntil(
      db
        .outside(touchApiKey(id))
        .catch((error: unknown) => parts.log.warn('last use of a key not noted', { error })),
    )
  }

  const known = { ...parts, records, fences }
  const keys = createKnownCallers<string, ApiKeyRecord>(
    {
      name: (hash) => hash,
      fences: (hash) => [`key:${hash}`],
      async ask(hash, timeoutMs) {
        const [record] = await db.outside(apiKeyByHash(hash), { timeoutMs })
        if (record !== undefined) touch(record.id)
        return record ?? null
      },
      lasts: () => true,
      read: readSharedKey,
    },
    known,
  )
  const people = createKnownCallers<{ userId: string; sessionId: string }, Person>(
    {
      name: ({ userId, sessionId }) => `${userId} ${sessionId}`,
      fences: ({ userId, sessionId }) => [`user:${userId}`, `session:${sessionId}`],
      ask: async ({ userId, sessionId }, timeoutMs) =>
        presentPerson(await db.outside(personById(userId, sessionId), { timeoutMs })),
      // Somebody without a workspace is about to be given one.
      lasts: ({ workspaces }) => workspaces.length > 0,
      read: readSharedPerson,
    },
    known,
  )

  return {
    async apiKey(key) {
      if (!KEY_SHAPE.test(key)) return null
      const record = await keys.find(await hashOf(key))
      if (record === null) return null
      return record.expiresAt !== null && Date.parse(record.expiresAt) <= clock.now() ? null : record
    },
    forgetKey: (hash) => fences.end([`key:${hash}`]),
    person: (userId, sessionId) => people.find({ userId, sessionId }),
    forgetUser: (userId) => fences.forget([`user:${userId}`]),
    forgetSession: (sessionId) => fences.end([`session:${sessionId}`]),
    async forgetWorkspace(workspaceId) {
      try {
        const [callers] = await db.inWorkspace(workspaceId, [callersOf(workspaceId)], { timeoutMs: 2_000 })
        await fences.forget(callers.map(({ kind, name }): Fence => `${kind}:${name}`))
      } catch (error) {
        // What was changed is. Whoever is not told finds out a little later.
        parts.log.warn('change of a workspace not told to its callers', { workspaceId, error })
      }
    },
    isClaimed: async () => (await db.outside(deploymentState()))[0]?.claimed ?? false,
    async welcome(user) {
      await db.outside(createFirstWorkspace(user.id, newId(clock.now()), `${user.name}'s workspace`))
      await db.outside(claimOperator(user.id))
      await fences.forget([`user:${user.id}`])
    },
  }
}

function presentPerson(rows: PersonRow[]): Person | null {
  const [first] = rows
  if (first === undefined || !first.sessionStands) return null
  return {
    operator: first.operator,
    emailVerified: first.emailVerified,
    workspaces: rows.flatMap(({ workspaceId, name, timezone, role, brands }) =>
      workspaceId === null ? [] : [{ workspaceId, name, timezone, role, brands }],
    ),
  }
}
