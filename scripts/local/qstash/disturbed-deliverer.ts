import { setTimeout as sleep } from 'node:timers/promises'
import type { Deliverer } from './delivery.ts'
import type { AttemptResult, MessageSpec, StoredMessage } from './types.ts'

/** What goes wrong with one delivery, all of which "at least once, in no certain order" allows. */
export interface Mishap {
  /** It begins so much later; what was behind it may come first. */
  heldMs: number
  /** It comes once more, so long after it began; null: it does not. */
  repeatedAfterMs: number | null
  /** It arrives, and its answer does not: it will be tried again. */
  losesAnswer: boolean
}

/** Decides for each delivery; `null` where all goes well. */
export type Disturbance = (spec: MessageSpec) => Mishap | null

/** Delivers messages as the deliverer does, unless a disturbance says otherwise. */
export class DisturbedDeliverer implements Pick<Deliverer, 'deliver' | 'close'> {
  private readonly deliverer: Deliverer
  private readonly closing = new AbortController()
  private readonly repeats = new Set<Promise<void>>()
  private disturbance: Disturbance | null = null

  constructor(deliverer: Deliverer) {
    this.deliverer = deliverer
  }

  /** From now on; `null`: all goes well again. */
  disturb(disturbance: Disturbance | null): void {
    this.disturbance = disturbance
  }

  /** Never rejects. */
  async deliver(message: StoredMessage, key: string): Promise<AttemptResult> {
    const mishap = this.disturbance?.(message.spec) ?? null
    if (mishap === null) return this.deliverer.deliver(message, key)
    await this.pause(mishap.heldMs)
    if (this.closing.signal.aborted) return unanswered('shut down')
    if (mishap.repeatedAfterMs !== null) this.repeat(message, key, mishap.repeatedAfterMs)
    const result = await this.deliverer.deliver(message, key)
    return mishap.losesAnswer ? unanswered('the answer was lost') : result
  }

  /** Whether some delivery is still to come once more, or doing so. */
  get isRepeating(): boolean {
    return this.repeats.size > 0
  }

  /** When all have come that were to come once more. */
  async repeated(): Promise<void> {
    while (this.repeats.size > 0) await Promise.all(this.repeats)
  }

  close(): void {
    this.closing.abort()
    this.deliverer.close()
  }

  private repeat(message: StoredMessage, key: string, afterMs: number): void {
    const repeat = this.pause(afterMs)
      .then(async () => {
        if (!this.closing.signal.aborted) await this.deliverer.deliver(message, key)
      })
      .finally(() => this.repeats.delete(repeat))
    this.repeats.add(repeat)
  }

  /** The end of this process cuts it short. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.closing.signal }).catch(() => {})
  }
}

function unanswered(error: string): AttemptResult {
  return { status: 0, header: {}, body: Buffer.alloc(0), error }
}
