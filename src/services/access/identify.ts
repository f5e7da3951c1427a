import { LRUCache } from 'lru-cache'
import type { Db } from '../../db/client.ts'
import {
  type ApiKeyRecord,
  apiKeyByHash,
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
import type { Clock, Logger } from '../../ports.ts'

/** A record is believed for this long; a revocation on this isolate is known at once. */
const BELIEVED_MS = 5_000
/** `tm_` and 32 bytes in base64url. */
const KEY_SHAPE = /^tm_[A-Za-z0-9_-]{43}$/

export interface Directory {
  /** The key's record, or `null` where there is none, or it is revoked or expired. */
  apiKey(key: string): Promise<ApiKeyRecord | null>
  /** Forgets a key that has just been revoked. */
  forgetKey(hash: string): void
  /** Who a person is now; `null` where the session has ended, or there is no such person. */
  person(userId: string, sessionId: string): Promise<Person | null>
  /** Forgets what is known of a person whose rights have just changed. */
  forgetUser(userId: string): void
  /** Forgets sessions that have just ended. */
  forgetSession(sessionId: string): void
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

/** Who is who, from memory where it was asked lately. */
export function createDirectory(parts: {
  db: Db
  clock: Clock
  log: Logger
  waitUntil(work: Promise<unknown>): void
}): Directory {
  const { db, clock } = parts
  const keys = new LRUCache<string, { record: ApiKeyRecord | null; atMs: number }>({ max: 10_000 })
  /** By session; `atMs` is when the question was asked, not when it was answered. */
  const people = new LRUCache<string, { userId: string; person: Person | null; atMs: number }>({
    max: 10_000,
  })
  /** When something of a person changed here: what was asked before is not believed. */
  const changed = new LRUCache<string, number>({ max: 10_000 })
  const ended = new LRUCache<string, true>({ max: 10_000 })
  const revoked = new LRUCache<string, true>({ max: 10_000 })
  const hashes = new LRUCache<string, string>({ max: 2_000 })

  async function hashOf(key: string): Promise<string> {
    const known = hashes.get(key)
    if (known !== undefined) return known
    const hash = await sha256Hex(key)
    hashes.set(key, hash)
    return hash
  }

  return {
    async apiKey(key) {
      if (!KEY_SHAPE.test(key)) return null
      const hash = await hashOf(key)
      const now = clock.now()
      let known = keys.get(hash)
      if (known === undefined || now - known.atMs >= BELIEVED_MS) {
        const [record] = await db.outside(apiKeyByHash(hash), { timeoutMs: 2_000 })
        known = { record: record ?? null, atMs: now }
        keys.set(hash, known)
        if (record !== undefined)
          parts.waitUntil(
            db
              .outside(touchApiKey(record.id))
              .catch((error: unknown) => parts.log.warn('last use of a key not noted', { error })),
          )
      }
      const { record } = known
      if (record === null || revoked.has(hash)) return null
      return record.expiresAt !== null && Date.parse(record.expiresAt) <= now ? null : record
    },
    forgetKey(hash) {
      // A lookup that began before may still store the key: the tombstone outlives it.
      revoked.set(hash, true)
      keys.delete(hash)
    },
    async person(userId, sessionId) {
      if (ended.has(sessionId)) return null
      const now = clock.now()
      const known = people.get(sessionId)
      if (
        known !== undefined &&
        known.userId === userId &&
        now - known.atMs < BELIEVED_MS &&
        known.atMs > (changed.get(userId) ?? Number.NEGATIVE_INFINITY)
      )
        return known.person
      const person = presentPerson(await db.outside(personById(userId, sessionId), { timeoutMs: 2_000 }))
      // Somebody without a workspace is about to be given one.
      if (person === null || person.workspaces.length > 0)
        people.set(sessionId, { userId, person, atMs: now })
      return ended.has(sessionId) ? null : person
    },
    forgetUser: (userId) => void changed.set(userId, clock.now()),
    forgetSession: (sessionId) => void ended.set(sessionId, true),
    isClaimed: async () => (await db.outside(deploymentState()))[0]?.claimed ?? false,
    async welcome(user) {
      await db.outside(createFirstWorkspace(user.id, newId(clock.now()), `${user.name}'s workspace`))
      await db.outside(claimOperator(user.id))
      changed.set(user.id, clock.now())
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
