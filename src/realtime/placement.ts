/** Which of a workspace's sockets the hub holds itself, and which its shards, as far as it knows. */

/** What a shard says of its sockets. */
export interface ShardCensus {
  /** Rises with each: what was said earlier may arrive later. */
  order: number
  open: number
  /** How many are open, by user. */
  users: Record<string, number>
  /** Connections it has accepted since it last said so. */
  accepted: string[]
}

/** A connection that was sent to a shard, which has not spoken of it yet. */
interface Placed {
  connection: string
  userId: string
  atMs: number
}

interface Shard {
  census: Omit<ShardCensus, 'accepted' | 'order'> | null
  placed: Placed[]
}

/** Whoever has not arrived by then never will. */
const PLACED_FOR_MS = 10_000

export class Placements {
  readonly #shards = new Map<number, Shard>()
  /** Of the last census of each, also where it was forgotten since. */
  readonly #orders = new Map<number, number>()
  readonly #perShard: number

  /**
   * @param slots shards that may hold sockets, of which nothing else is known yet
   * @param perShard how many sockets one is to hold
   */
  constructor(slots: readonly number[], perShard: number) {
    for (const slot of slots) this.#shards.set(slot, { census: null, placed: [] })
    this.#perShard = perShard
  }

  slots(): number[] {
    return [...this.#shards.keys()]
  }

  /** Shards that have not said yet how many sockets they hold. */
  uncounted(): number[] {
    return [...this.#shards].filter(([, { census }]) => census === null).map(([slot]) => slot)
  }

  /** Notes what a shard says. @returns whether it holds nobody, and nobody is on the way to it: it is forgotten */
  count(slot: number, { accepted, order, ...census }: ShardCensus, nowMs: number): boolean {
    const shard = this.#shards.get(slot) ?? { census: null, placed: [] }
    const arrived = new Set(accepted)
    const isStale = order < (this.#orders.get(slot) ?? 0)
    if (!isStale) {
      shard.census = census
      this.#orders.set(slot, order)
    }
    shard.placed = shard.placed.filter(({ connection }) => !arrived.has(connection))
    this.#shards.set(slot, shard)
    if (openIn(shard, nowMs) > 0) return false
    this.#shards.delete(slot)
    return true
  }

  /** How many sockets shards hold, those on the way to them included; of one user, or of all. */
  open(nowMs: number, userId?: string): number {
    let open = 0
    for (const shard of this.#shards.values()) open += openIn(shard, nowMs, userId)
    return open
  }

  /**
   * Sends a connection to the first shard that has room, so that those behind it become empty by themselves as
   * sockets leave. @returns its slot, from 1 upwards, and whether it was not in use before
   */
  place(connection: string, userId: string, nowMs: number): { slot: number; isNew: boolean } {
    let slot = 1
    for (;;) {
      const shard = this.#shards.get(slot)
      if (shard === undefined || openIn(shard, nowMs) < this.#perShard) break
      slot += 1
    }
    const known = this.#shards.get(slot)
    const shard = known ?? { census: { open: 0, users: {} }, placed: [] }
    shard.placed.push({ connection, userId, atMs: nowMs })
    this.#shards.set(slot, shard)
    return { slot, isNew: known === undefined }
  }
}

function openIn(shard: Shard, nowMs: number, userId?: string): number {
  shard.placed = shard.placed.filter(({ atMs }) => nowMs - atMs < PLACED_FOR_MS)
  const { census, placed } = shard
  if (userId === undefined) return (census?.open ?? 0) + placed.length
  const held = census !== null && Object.hasOwn(census.users, userId) ? (census.users[userId] ?? 0) : 0
  return held + placed.filter((one) => one.userId === userId).length
}
