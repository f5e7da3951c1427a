import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Receiver } from '@upstash/qstash'
import { onTestFinished, vi } from 'vitest'
import { listen, readBody } from '../lib/http-server.ts'
import { type QStash, type QStashOptions, startQStash } from './index.ts'
import type { Clock } from './types.ts'

export const TOKEN = 'local-token'
export const CURRENT_KEY = 'sig_current_key_of_the_tests'
export const NEXT_KEY = 'sig_next_key_of_the_tests'

/** A request that reached the destination. */
export interface Delivery {
  method: string
  /** The path and query. */
  path: string
  headers: IncomingHttpHeaders
  body: string
  atMs: number
}

export interface Reply {
  status?: number
  headers?: Record<string, string>
  body?: string
  /** The answer waits for it. */
  after?: Promise<unknown>
}

/** A destination that keeps what it is sent and answers as told. */
export interface Destination {
  url: string
  deliveries: Delivery[]
  /** Deliveries that wait for their answer. */
  open: number
  /** The most that ever waited at once. */
  maxOpen: number
  /** Resolves when at least so many deliveries have arrived. */
  received(count: number): Promise<Delivery[]>
}

/** Starts a destination that ends with the test. */
export async function startDestination(
  reply: (delivery: Delivery) => Reply = () => ({}),
): Promise<Destination> {
  const waiters = new Set<() => void>()
  const server = await listen(async (req, res) => {
    const body = (await readBody(req, 10_000_000)).toString()
    const delivery: Delivery = {
      method: req.method ?? '',
      path: req.url ?? '',
      headers: req.headers,
      body,
      atMs: Date.now(),
    }
    destination.deliveries.push(delivery)
    destination.open += 1
    destination.maxOpen = Math.max(destination.maxOpen, destination.open)
    for (const wake of waiters) wake()
    const answer = reply(delivery)
    await answer.after
    destination.open -= 1
    if (res.destroyed) return
    res.writeHead(answer.status ?? 200, answer.headers)
    res.end(answer.body)
  })
  onTestFinished(() => server.close())
  const destination: Destination = {
    url: server.url,
    deliveries: [],
    open: 0,
    maxOpen: 0,
    received: async (count) => {
      while (destination.deliveries.length < count) {
        await new Promise<void>((resolve) => {
          waiters.add(resolve)
        })
        waiters.clear()
      }
      return destination.deliveries
    },
  }
  return destination
}

/** A data file that is gone after the test. */
export function temporaryDataFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'qstash-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'qstash.sqlite')
}

/** Starts a QStash that ends with the test, and the vendor's client for it. */
export async function startLocal(
  options: Partial<QStashOptions> = {},
): Promise<{ qstash: QStash; client: Client; dataFile: string }> {
  const dataFile = options.dataFile ?? temporaryDataFile()
  const qstash = await startQStash({
    token: TOKEN,
    currentSigningKey: CURRENT_KEY,
    nextSigningKey: NEXT_KEY,
    ...options,
    dataFile,
  })
  onTestFinished(() => qstash.stop())
  return { qstash, client: clientOf(qstash), dataFile }
}

export function clientOf(qstash: QStash, token = TOKEN): Client {
  return new Client({ baseUrl: qstash.url, token, retry: false, devMode: false, enableTelemetry: false })
}

export function receiverOf(currentSigningKey = CURRENT_KEY, nextSigningKey = NEXT_KEY): Receiver {
  return new Receiver({ currentSigningKey, nextSigningKey, devMode: false })
}

/** The vendor's client prints every refusal. */
export function silenceClient(): void {
  const spy = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => spy.mockRestore())
}

/** A promise to be resolved by hand. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Time that passes only when told to. */
export class ManualClock implements Clock {
  private nowMs: number
  private readonly timers = new Set<{ atMs: number; run: () => void }>()

  constructor(start: string) {
    this.nowMs = Date.parse(start)
  }

  now(): number {
    return this.nowMs
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.nowMs + delayMs, run }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  /** Lets time pass, with everything that falls due on the way. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const [next] = [...this.timers].sort((a, b) => a.atMs - b.atMs)
      if (!next || next.atMs > untilMs) break
      this.timers.delete(next)
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = untilMs
  }
}

/** Long enough for a wrong delivery to show. */
export function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60))
}
