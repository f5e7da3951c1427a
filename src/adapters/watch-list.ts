import type { Redis } from '@upstash/redis'
import { WATCHED_FOR_SECONDS } from '../domain/sync-tiers.ts'
import { type Clock, PUBLIC_SCOPE, type WatchList } from '../ports.ts'

const KEY = 'tm:watched'
/** Marks of one workspace by one isolate come no more often than this. */
const MARK_EVERY_MS = 60_000

/**
 * Who is being looked at, as a sorted set by the time of the last look.
 * @param key names the set; tests, whose clocks differ, have one each
 */
export function createWatchList(redis: Redis, clock: Clock, key = KEY): WatchList {
  const marked = new Map<string, number>()
  return {
    async mark(workspaceId) {
      // Its hub says like any other that somebody listens. Nobody's accounts are read for that.
      if (workspaceId === PUBLIC_SCOPE) return
      const now = clock.now()
      if (now - (marked.get(workspaceId) ?? Number.NEGATIVE_INFINITY) < MARK_EVERY_MS) return
      if (marked.size > 10_000) marked.clear()
      marked.set(workspaceId, now)
      try {
        await redis.zadd(key, { score: now, member: workspaceId })
      } catch (error) {
        marked.delete(workspaceId)
        throw error
      }
    },
    async list() {
      const since = clock.now() - WATCHED_FOR_SECONDS * 1_000
      const [, members] = await redis
        .pipeline()
        .zremrangebyscore(key, 0, since)
        .zrange<string[]>(key, since, '+inf', { byScore: true })
        .exec<[number, string[]]>()
      return members
    },
  }
}
