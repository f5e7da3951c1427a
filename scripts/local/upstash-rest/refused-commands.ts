import type { Command } from './words.ts'

/**
 * Commands that change or hold up the connection, which all requests share, or the server itself. A request
 * has no connection of its own, so that Upstash has none of them over REST either.
 */
const REFUSED = new Set(
  [
    'AUTH CLIENT HELLO QUIT RESET SELECT SWAPDB',
    'MULTI EXEC DISCARD WATCH UNWATCH',
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR',
    'BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF',
    'ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DEBUG FAILOVER MIGRATE MODULE PSYNC REPLCONF REPLICAOF',
    'SAVE SHUTDOWN SLAVEOF SYNC',
  ].flatMap((line) => line.split(' ')),
)

/** Why a command is not passed on to Redis, or undefined. */
export function refusal([name, ...words]: Command): string | undefined {
  const upperName = name.toUpperCase()
  const blocks = /^XREAD(GROUP)?$/.test(upperName) && words.some((word) => /^block$/i.test(String(word)))
  return blocks || REFUSED.has(upperName) ? `ERR Command is not available: '${name}'` : undefined
}
