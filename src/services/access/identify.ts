import { LRUCache } from 'lru-cache'
import type { Db } from '../../db/client.ts'
import {
  type ApiKeyRecord,
  apiKeyByHash,
  createFirstWorkspace,
  firstUser,
  type MembershipRow,
  memberships,
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
  /** A person's workspaces. */
  workspacesOf(userId: string): Promise<MembershipRow[]>
  forgetUser(userId: string): void
  isFirstUser(userId: string): Promise<boolean>
  hasUsers(): Promise<boolean>
  /** Gives a new person a workspace, once. */
  welcome(user: { id: string; name: string }): Promise<void>
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
  const members = new LRUCache<string, { rows: MembershipRow[]; atMs: number }>({ max: 10_000 })
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
    async workspacesOf(userId) {
      const now = clock.now()
      const known = members.get(userId)
      if (known !== undefined && now - known.atMs < BELIEVED_MS) return known.rows
      const rows = await db.outside(memberships(userId), { timeoutMs: 2_000 })
      if (rows.length > 0) members.set(userId, { rows, atMs: now })
      return rows
    },
    forgetUser: (userId) => void members.delete(userId),
    async isFirstUser(userId) {
      const [first] = await db.outside(firstUser())
      return first?.id === userId
    },
    hasUsers: async () => (await db.outside(firstUser())).length > 0,
    async welcome(user) {
      await db.outside(createFirstWorkspace(user.id, newId(clock.now()), `${user.name}'s workspace`))
      members.delete(user.id)
    },
  }
}
