/** Questions about the hub's sequence: what came before for whom, and how much of it. */
import type { HubState } from './event-log.ts'
import { encodeFrame, type SequencedEvent, type Subscription, withoutDetails } from './protocol.ts'

/** The last sequence number among the topics; 0 when there was none yet. */
export function lastSeqOf(state: HubState, topics: Subscription): number {
  if (topics === null) return state.seq
  let last = 0
  for (const topic of topics) last = Math.max(last, state.topics.get(topic)?.lastSeq ?? 0)
  return last
}

/** How many events of the topics there have ever been. */
export function dueCountOf(state: HubState, topics: Subscription): number {
  if (topics === null) return state.seq
  let count = 0
  for (const topic of topics) count += state.topics.get(topic)?.count ?? 0
  return count
}

type FrameEncoder = (event: SequencedEvent, prevSeq: number) => string

/** Encodes each pair of event and `prevSeq` once, however many sockets get it. */
export function frameCache(): FrameEncoder {
  const frames = new Map<SequencedEvent, Map<number, string>>()
  return (event, prevSeq) => {
    let byPrevSeq = frames.get(event)
    if (byPrevSeq === undefined) {
      byPrevSeq = new Map()
      frames.set(event, byPrevSeq)
    }
    let frame = byPrevSeq.get(prevSeq)
    if (frame === undefined) {
      frame = encodeFrame(event, prevSeq)
      byPrevSeq.set(prevSeq, frame)
    }
    return frame
  }
}

/** The same for sockets that are told no details. */
export function limitedFrameCache(): FrameEncoder {
  const encode = frameCache()
  const limited = new Map<SequencedEvent, SequencedEvent>()
  return (event, prevSeq) => {
    let bare = limited.get(event)
    if (bare === undefined) {
      bare = withoutDetails(event)
      limited.set(event, bare)
    }
    return encode(bare, prevSeq)
  }
}
