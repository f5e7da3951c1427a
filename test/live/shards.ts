/** A hub and its shards without a runtime, whose calls to each other take their time, and fail. */
import { createHash } from 'node:crypto'
import type { Random } from '../../scripts/local/platforms/random.ts'
import { LIVE_LIMITS, type LiveLimits, parseTypesParameter } from '../../src/realtime/protocol.ts'
import { type Delivery, Shard } from '../../src/realtime/shard.ts'
import { ShardLink } from '../../src/realtime/shard-link.ts'
import { createHubRig, FakeSocket, memoryDatabase } from './harness.ts'

const FEW_SOCKETS = { ...LIVE_LIMITS, socketsPerObject: 3, socketsPerUser: 1_000, metricsPauseMs: 0 }

interface HeldShard {
  shard: Shard
  sockets: FakeSocket[]
  sentSeq: number | null
}

/** One workspace. Whatever takes time ends when `settle` is called, or others wait for it. */
export function createWorkspaceRig(random: Random, failureShare: number, limits: Partial<LiveLimits> = {}) {
  const ownLimits = { ...FEW_SOCKETS, ...limits }
  const shards = new Map<number, HeldShard>()
  const links = new Map<number, ShardLink>()
  let lives = 0
  const underWay = new Set<Promise<unknown>>()
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, random.int(0, 2)))
  const call = async <T>(answer: () => T | Promise<T>): Promise<T> => {
    await pause()
    if (random.chance(failureShare)) throw new Error('The call was lost.')
    const value = await answer()
    await pause()
    if (random.chance(failureShare)) throw new Error('The answer was lost.')
    return value
  }
  const watch = (work: Promise<unknown>) => {
    const watched: Promise<unknown> = work.finally(() => underWay.delete(watched))
    underWay.add(watched)
  }
  const rig = createHubRig(ownLimits, memoryDatabase(), (slots, delivery) => {
    for (const slot of slots) watch(linkTo(slot).push(delivery))
  })

  function held(slot: number): HeldShard {
    let known = shards.get(slot)
    if (known === undefined) {
      const sockets: FakeSocket[] = []
      known = { sockets, sentSeq: null, shard: open(slot, sockets, null) }
      shards.set(slot, known)
    }
    return known
  }

  function open(slot: number, sockets: FakeSocket[], sentSeq: number | null): Shard {
    return new Shard({
      sockets: { all: () => sockets, ofUser: () => [] },
      clock: { now: () => rig.clock.nowMs },
      limits: ownLimits,
      sentSeq,
      onSent: (seq) => {
        const it = shards.get(slot)
        if (it !== undefined) it.sentSeq = seq
      },
    })
  }

  async function catchUp(slot: number): Promise<void> {
    const { shard } = held(slot)
    const snapshot = await call(() => structuredClone(rig.hub.snapshot(shard.sentSeq)))
    // Evicted meanwhile, the call ended with it.
    if (held(slot).shard === shard) shard.adopt(snapshot)
  }

  async function deliver(slot: number, delivery: Delivery) {
    const { shard } = held(slot)
    if (!shard.take(structuredClone(delivery))) await catchUp(slot)
    return held(slot).shard.news()
  }

  /** As a shard does it: again where the hub was not reached. */
  async function tellCensus(slot: number): Promise<void> {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      try {
        await call(() => rig.hub.countShard(slot, held(slot).shard.census()))
        return
      } catch {
        // The next attempt says the same.
      }
    }
  }

  function linkTo(slot: number): ShardLink {
    let link = links.get(slot)
    if (link === undefined) {
      const life = lives
      link = new ShardLink({
        send: (delivery) => {
          // What an earlier life of the hub was about to send is gone with it.
          if (life !== lives) return Promise.reject(new Error('The hub was evicted.'))
          return call(() => deliver(slot, delivery))
        },
        onCensus: (census) => rig.hub.countShard(slot, census),
        onLost: () => {},
        sleep: pause,
      })
      links.set(slot, link)
    }
    return link
  }

  return {
    rig,
    shards,
    watch,
    /** As the Worker connects somebody: `null` where it did not come to that. */
    async connect(name: string, since: number | null): Promise<FakeSocket | null> {
      const hash = createHash('sha256').update(name).digest('hex')
      rig.hub.issueTicket({ hash, userId: name, limited: false, expiresAtMs: rig.clock.nowMs + 1_000 })
      const admission = rig.hub.admit(hash)
      if (!admission.ok) throw new Error(admission.reason)
      const { slot } = admission
      if (slot === null) return rig.connect({ userId: name, since })
      const { seq } = rig.hub.state
      try {
        for (let attempt = 0; attempt < 5; attempt += 1) {
          await pause()
          if (!held(slot).shard.isReadyFor(seq)) await catchUp(slot)
        }
        const { shard, sockets } = held(slot)
        if (!shard.isReadyFor(seq)) return null
        const socket = new FakeSocket()
        sockets.push(socket)
        shard.connect(socket, hash, {
          userId: name,
          limited: false,
          since,
          topics: parseTypesParameter(null),
        })
        watch(tellCensus(slot))
        return socket
      } catch {
        return null
      }
    },
    /** An object loses its memory; its sockets stay. */
    evict(slot: number | null): void {
      if (slot === null) {
        rig.hibernate()
        links.clear()
        lives += 1
        for (const uncounted of rig.hub.uncountedShards())
          rig.hub.countShard(uncounted, held(uncounted).shard.census())
        return
      }
      const it = shards.get(slot)
      if (it !== undefined) it.shard = open(slot, it.sockets, it.sentSeq)
    },
    async settle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
