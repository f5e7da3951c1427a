/** Where a reader stands in the workspace's sequence of events, and what a frame means there. */
import type { LiveFrame } from './frames.ts'

export type FrameMeaning =
  /** The connection is open for events. */
  | 'hello'
  /** The next event: to be delivered. */
  | 'next'
  /** Delivered before. */
  | 'duplicate'
  /** Something before it is missing: nothing of this connection can be trusted to be in order. */
  | 'gap'
  /** What is missing cannot be had: everything shown must be fetched anew. */
  | 'resync'

export interface Position {
  /** The last sequence number that is accounted for; `null` before the first connection. */
  readonly lastSeq: number | null
  /** A connection begins: nothing counts before its hello. */
  reconnected(): void
  /** Moves on by one frame, and says what it was. */
  take(frame: LiveFrame): FrameMeaning
}

export function createPosition(): Position {
  let lastSeq: number | null = null
  let greeted = false
  /** Where this connection started anew, so that being told twice does not fetch everything twice. */
  let restartedAt: number | null = null

  function restart(seq: number): FrameMeaning {
    if (restartedAt === seq && lastSeq === seq) return 'duplicate'
    restartedAt = seq
    lastSeq = seq
    return 'resync'
  }

  return {
    get lastSeq() {
      return lastSeq
    },

    reconnected() {
      greeted = false
      restartedAt = null
    },

    take(frame) {
      if (frame.type === 'hello') {
        if (greeted) return 'duplicate'
        greeted = true
        if (lastSeq === null) lastSeq = frame.seq
        // The hub has counted less than we have seen: it started anew, and our number means nothing to it.
        else if (frame.seq < lastSeq) return restart(frame.seq)
        return 'hello'
      }
      if (!greeted || lastSeq === null) return 'gap'
      if (frame.seq < lastSeq) return 'duplicate'
      if (frame.type === 'resync') return restart(frame.seq)
      if (frame.seq === lastSeq) return 'duplicate'
      if (frame.prevSeq > lastSeq) return 'gap'
      lastSeq = frame.seq
      return 'next'
    },
  }
}
