import { z } from 'zod'
import type { TestStack } from '../harness/stack.ts'
import { nowAndThen } from './patience.ts'

const LogPage = z.object({
  logs: z.array(z.object({ time: z.number(), state: z.string(), messageId: z.string(), url: z.string() })),
  cursor: z.string().optional(),
})
const DeadPage = z.object({
  messages: z.array(
    z.object({
      messageId: z.string(),
      url: z.string(),
      body: z.string().optional(),
      responseStatus: z.number().optional(),
      responseBody: z.string().optional(),
    }),
  ),
  cursor: z.string().optional(),
})

export type DeadLetter = z.infer<typeof DeadPage>['messages'][number]

/** How a message ended; times in milliseconds since 1970. */
export interface Ending {
  state: 'DELIVERED' | 'FAILED' | 'CANCELED'
  atMs: number
  url: string
}

const EVERY_MS = 5_000
/** What is logged at the moment of reading is read again the next time. */
const OVERLAP_MS = 2_000

/** Follows the queue's own log, which forgets: what was accepted, and what became of it. */
export class QueueJournal {
  /** Attempts that failed. */
  failed = 0
  readonly endings = new Map<string, Ending>()
  readonly #accepted = new Map<string, string>()
  readonly #errors = new Set<string>()
  readonly #stack: TestStack
  #readToMs = 0

  constructor(stack: TestStack) {
    this.#stack = stack
  }

  /** Reads on until the signal says otherwise. */
  follow(signal: AbortSignal): Promise<void> {
    return nowAndThen(
      signal,
      () => EVERY_MS,
      () => this.read(),
    )
  }

  get accepted(): number {
    return this.#accepted.size
  }

  get dead(): number {
    return [...this.endings.values()].filter(({ state }) => state === 'FAILED').length
  }

  /** Messages that were accepted, have not ended, and that the queue does not have any more. */
  async lost(): Promise<string[]> {
    const gone: [messageId: string, url: string][] = []
    for (const [messageId, url] of this.#accepted) {
      if (this.endings.has(messageId)) continue
      const response = await this.#ask(`/v2/messages/${messageId}`)
      await response.body?.cancel()
      if (response.status === 404) gone.push([messageId, url])
    }
    // Those that have ended meanwhile.
    await this.read()
    return gone.flatMap(([messageId, url]) =>
      this.endings.has(messageId) ? [] : [`${messageId} to ${new URL(url).pathname}`],
    )
  }

  /** When a message to that address last did what it was for. */
  lastDeliveredMs(url: string): number {
    let lastMs = 0
    for (const { state, url: to, atMs } of this.endings.values())
      if (state === 'DELIVERED' && to === url) lastMs = Math.max(lastMs, atMs)
    return lastMs
  }

  async deadLetters(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const response = await this.#ask(`/v2/dlq?cursor=${cursor}`)
      const page = DeadPage.parse(await response.json())
      letters.push(...page.messages)
      cursor = page.cursor
    }
    return letters
  }

  /** Sends a message on its way, as the Worker does. */
  async publish(path: string, body: object = {}): Promise<void> {
    const { callbacksUrl } = this.#stack
    const response = await this.#ask(`/v2/publish/${callbacksUrl}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`The queue refuses ${path}: ${await response.text()}`)
    await response.body?.cancel()
  }

  async read(): Promise<void> {
    const fromMs = Math.max(0, this.#readToMs - OVERLAP_MS)
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const response = await this.#ask(`/v2/logs?fromDate=${fromMs}&cursor=${cursor}`)
      const page = LogPage.parse(await response.json())
      for (const entry of page.logs) this.#take(entry)
      cursor = page.cursor
    }
  }

  #take({ time, state, messageId, url }: z.infer<typeof LogPage>['logs'][number]): void {
    this.#readToMs = Math.max(this.#readToMs, time)
    switch (state) {
      case 'CREATED':
        this.#accepted.set(messageId, url)
        break
      case 'ERROR':
        this.#errors.add(`${messageId} ${time}`)
        this.failed = this.#errors.size
        break
      case 'DELIVERED':
      case 'FAILED':
      case 'CANCELED':
        this.endings.set(messageId, { state, atMs: time, url })
        break
    }
  }

  #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { QSTASH_URL = '', QSTASH_TOKEN = '' } = this.#stack.bindings
    return fetch(QSTASH_URL + path, {
      ...init,
      headers: { authorization: `Bearer ${QSTASH_TOKEN}`, 'content-type': 'application/json' },
    })
  }
}
