import { createLiveClient, type LiveClient, type LiveState } from '../../web/src/live/client.ts'
import type { Owner } from './owner.ts'

/** A page that stays open throughout: the dashboard's own client, which connects again whenever it is cut off. */
export class Listener {
  connections = 0
  events = 0
  /** The last generation whose metrics were told. */
  metricsHeard = 0
  /** Why somebody who reads what was told cannot be right; empty where all is well. */
  readonly complaints: string[] = []
  readonly #heard = new Set<number>()
  #newest = 0
  #isStopping = false
  readonly #client: LiveClient

  constructor(owner: Owner) {
    this.#client = createLiveClient({
      getTicket: () => owner.ticket(),
      onEvent: ({ type, generation }) => this.#hear(type, generation),
      onResync: ({ generation }) => {
        this.complaints.push(`had to fetch everything anew at generation ${generation}`)
      },
      onHello: () => {
        this.connections += 1
      },
      onStateChange: (state) => this.#onState(state),
      // A page that is online and looked at, as long as it is open.
      environment: { isOnline: () => true, isHidden: () => false, onChange: () => () => {} },
    })
  }

  start(): void {
    this.#client.start()
  }

  stop(): void {
    this.#isStopping = true
    this.#client.stop()
  }

  get state(): LiveState {
    return this.#client.state
  }

  hasHeard(generation: number): boolean {
    return this.#heard.has(generation)
  }

  #hear(type: string, generation: number): void {
    this.events += 1
    if (type === 'metrics.updated') this.metricsHeard = Math.max(this.metricsHeard, generation)
    this.#heard.add(generation)
    if (generation < this.#newest)
      this.complaints.push(`was told of generation ${generation} after ${this.#newest}`)
    this.#newest = Math.max(this.#newest, generation)
  }

  #onState(state: LiveState): void {
    if (state === 'stopped' && !this.#isStopping) this.complaints.push('was turned away for good')
  }
}
