import { z } from 'zod'

/** What has arrived on the sockets of a group, and whether anything is missing. */

const Frame = z.object({ at: z.string() })
const HEAD = /^\{"seq":(\d+),"prevSeq":(\d+),"type":"(\w+)/
/** As much of a frame as has its numbers and its type. */
const HEAD_BYTES = 80

/** How far one socket has come. */
export interface Reader {
  /** `null` before its first frame. */
  seq: number | null
  /** What it is told first may have happened before it was greeted. */
  isGreeted: boolean
  /** Events since it was armed. */
  events: number
}

interface Receipts {
  seq: number
  frame: Buffer
  receivedAtMs: number[]
}

export class GroupReceipts {
  readonly #readers = new Set<Reader>()
  readonly #events = new Map<number, Receipts>()
  #isTimed = false
  #gaps = 0
  #lastAtMs = 0
  #frameBytes = 0
  #lost = 0
  #wanted = Number.POSITIVE_INFINITY
  #complete = 0
  #onComplete = () => {}

  join(): Reader {
    const reader: Reader = { seq: null, isGreeted: false, events: 0 }
    this.#readers.add(reader)
    return reader
  }

  leave(reader: Reader): void {
    if (this.#readers.delete(reader)) this.#lost += 1
  }

  arm(isTimed: boolean): void {
    this.#isTimed = isTimed
    this.#events.clear()
    this.#gaps = 0
    this.#lost = 0
    this.#wanted = Number.POSITIVE_INFINITY
    for (const reader of this.#readers) reader.events = 0
  }

  /** Called for each frame, so it does as little as it can. */
  take(reader: Reader, frame: Buffer, atMs: number): void {
    const head = HEAD.exec(frame.toString('latin1', 0, HEAD_BYTES))
    if (head === null) return
    const seq = Number(head[1])
    if (head[3] === 'hello') {
      reader.seq ??= seq
      reader.isGreeted = true
      return
    }
    if (!follows(reader, seq, Number(head[2])) || head[3] === 'resync') this.#gaps += 1
    reader.seq = seq
    reader.isGreeted = false
    reader.events += 1
    this.#lastAtMs = atMs
    this.#frameBytes = frame.length
    if (this.#isTimed) this.#note(seq, frame, atMs)
    if (reader.events !== this.#wanted) return
    this.#complete += 1
    if (this.#complete >= this.#readers.size) this.#onComplete()
  }

  /** Waits until each socket has had so many events since it was armed, or until time is up. */
  async collect(events: number, timeoutMs: number) {
    this.#wanted = events
    this.#complete = [...this.#readers].filter((reader) => reader.events >= events).length
    if (this.#complete < this.#readers.size) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#onComplete = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return {
      sockets: this.#readers.size,
      lost: this.#lost,
      missing: [...this.#readers].reduce((sum, reader) => sum + Math.max(0, events - reader.events), 0),
      gaps: this.#gaps,
      lastAtMs: this.#lastAtMs,
      events: Array.from(this.#events.values(), ({ seq, frame, receivedAtMs }) => ({
        ...{ seq, receivedAtMs },
        atMs: Date.parse(Frame.parse(JSON.parse(frame.toString())).at),
      })),
      frameBytes: this.#frameBytes,
    }
  }

  #note(seq: number, frame: Buffer, atMs: number): void {
    const known = this.#events.get(seq)
    if (known !== undefined) known.receivedAtMs.push(atMs)
    else this.#events.set(seq, { seq, frame, receivedAtMs: [atMs] })
  }
}

function follows({ seq: last, isGreeted }: Reader, seq: number, prevSeq: number): boolean {
  if (last === null) return true
  return isGreeted ? prevSeq <= last : prevSeq === last && seq > last
}
