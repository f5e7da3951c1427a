/** The messages at one place of a queue: a message, and the callbacks that belong to it. */
interface Slot {
  messageIds: Set<string>
  active: boolean
}

interface Queue {
  parallelism: number
  paused: boolean
  /** In order of position. */
  slots: Map<number, Slot>
  activeSlots: number
  /** Came due while the queue was paused. */
  parked: Set<string>
}

/**
 * Keeps the order of queues: as many places as the queue's parallelism are open at once, and the
 * next opens only when all messages of an open one are delivered, failed or cancelled.
 */
export class QueueBoard {
  private readonly queues = new Map<string, Queue>()
  /** Lets a message wait for its due time (`false`), or says that it came due already (`true`). */
  private readonly release: (messageId: string, cameDue: boolean) => void

  constructor(release: (messageId: string, cameDue: boolean) => void) {
    this.release = release
  }

  /** Makes a queue, or changes it. */
  set(name: string, settings: { parallelism: number; paused: boolean }): void {
    const queue = this.queues.get(name)
    if (queue) Object.assign(queue, settings)
    else this.queues.set(name, { ...settings, slots: new Map(), activeSlots: 0, parked: new Set() })
    this.open(name)
  }

  /** Positions of new places must rise. A message at a place that is open goes at once. */
  add(name: string, position: number, messageId: string): void {
    const queue = this.get(name)
    const slot = queue.slots.get(position)
    if (slot) {
      slot.messageIds.add(messageId)
      if (slot.active) this.release(messageId, false)
      return
    }
    queue.slots.set(position, { messageIds: new Set([messageId]), active: false })
    this.open(name)
  }

  /** A message is done with, which may open the next place. */
  remove(name: string, position: number, messageId: string): void {
    const queue = this.queues.get(name)
    const slot = queue?.slots.get(position)
    if (!queue || !slot) return
    queue.parked.delete(messageId)
    slot.messageIds.delete(messageId)
    if (slot.messageIds.size > 0) return
    queue.slots.delete(position)
    if (slot.active) queue.activeSlots -= 1
    this.open(name)
  }

  /** Holds a message that came due in a paused queue until the queue goes on. */
  park(name: string, messageId: string): void {
    this.get(name).parked.add(messageId)
  }

  isPaused(name: string | undefined): boolean {
    return name !== undefined && (this.queues.get(name)?.paused ?? false)
  }

  /** Forgets a queue, whose messages must be gone. */
  delete(name: string): void {
    this.queues.delete(name)
  }

  /** Messages that are not done with. */
  size(name: string): number {
    let size = 0
    for (const slot of this.queues.get(name)?.slots.values() ?? []) size += slot.messageIds.size
    return size
  }

  private get(name: string): Queue {
    const queue = this.queues.get(name)
    if (!queue) throw new Error(`no queue "${name}"`)
    return queue
  }

  private open(name: string): void {
    const queue = this.get(name)
    if (queue.paused) return
    const parked = [...queue.parked]
    queue.parked.clear()
    for (const messageId of parked) this.release(messageId, true)
    if (queue.activeSlots >= queue.parallelism) return
    const opened: Slot[] = []
    // The open places are the first ones, so that this ends soon.
    for (const slot of queue.slots.values()) {
      if (queue.activeSlots >= queue.parallelism) break
      if (slot.active) continue
      slot.active = true
      queue.activeSlots += 1
      opened.push(slot)
    }
    for (const slot of opened) for (const messageId of slot.messageIds) this.release(messageId, false)
  }
}
