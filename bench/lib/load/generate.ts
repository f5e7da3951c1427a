import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { summarise } from '../statistics.ts'
import { Connection } from './connection.ts'
import type { LoadRequest, LoadResult } from './protocol.ts'
import type { ParsedResponse } from './response-parser.ts'

type Job = z.output<typeof LoadRequest>

/** How often a fixed rate looks for what is due. */
const TICK_MS = 1
/** What was not sent so long after the last was due is left: it cannot keep up. */
const GRACE_MS = 1_000

/** Counts what the answers were. */
class Tally {
  unsent = 0
  readonly #latencies: number[] = []
  readonly #statuses = new Map<string, number>()
  readonly #byTier = new Map<string, number[]>()
  #bodyBytes = 0
  #failed = 0

  /** How soon somebody was refused says nothing: such answers are counted apart. */
  add(latencyMs: number, { status, head, bodyBytes }: ParsedResponse): void {
    increase(this.#statuses, String(status))
    if (status >= 400) {
      this.#failed += 1
      return
    }
    this.#latencies.push(latencyMs)
    this.#bodyBytes += bodyBytes
    const tier = tierOf(head)
    if (tier === null) return
    const ofTier = this.#byTier.get(tier)
    if (ofTier === undefined) this.#byTier.set(tier, [latencyMs])
    else ofTier.push(latencyMs)
  }

  result(elapsedMs: number, generatorCpu: number): LoadResult {
    const byTier = [...this.#byTier]
    return {
      requests: this.#latencies.length,
      failed: this.#failed,
      elapsedMs,
      latencyMs: summarise(this.#latencies),
      statuses: Object.fromEntries(this.#statuses),
      unsent: this.unsent,
      tiers: Object.fromEntries(byTier.map(([tier, latencies]) => [tier, latencies.length])),
      latencyByTier: Object.fromEntries(
        byTier.flatMap(([tier, latencies]) => {
          const summary = summarise(latencies)
          return summary === null ? [] : [[tier, summary]]
        }),
      ),
      bodyBytes: this.#bodyBytes,
      generatorCpu,
    }
  }
}

/** Asks as it was told to. @throws when the server cannot be reached, or closes a connection. */
export async function generateLoad(job: Job): Promise<LoadResult> {
  const { hostname, port, host } = new URL(job.origin)
  const headers = Object.entries({ host, ...job.headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const requests = job.paths.map((path) => `GET ${path} HTTP/1.1\r\n${headers.join('')}\r\n`)
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => Connection.open(hostname, Number(port))),
  )
  try {
    const tally = new Tally()
    const cpu = process.cpuUsage()
    const startedMs = performance.now()
    if (job.ratePerSecond === undefined) await saturate(job, requests, connections, tally)
    else await keepRate(job, job.ratePerSecond, requests, connections, tally)
    const elapsedMs = performance.now() - startedMs
    const { user, system } = process.cpuUsage(cpu)
    return tally.result(elapsedMs, (user + system) / 1_000 / elapsedMs)
  } finally {
    for (const connection of connections) connection.close()
  }
}

/** Every connection asks again as soon as it was answered. */
async function saturate(
  job: Job,
  requests: string[],
  connections: Connection[],
  tally: Tally,
): Promise<void> {
  const endMs = performance.now() + job.durationMs
  let next = 0
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < endMs && !(job.once && next >= requests.length)) {
        const request = requests[next++ % requests.length] ?? ''
        const sentMs = performance.now()
        const response = await connection.exchange(request)
        tally.add(performance.now() - sentMs, response)
      }
    }),
  )
}

/**
 * Sends requests when they are due. One for which no connection is free waits, and its waiting counts:
 * otherwise a server that stalls would be asked less, and look better.
 */
async function keepRate(
  job: Job,
  ratePerSecond: number,
  requests: string[],
  connections: Connection[],
  tally: Tally,
): Promise<void> {
  const startMs = performance.now()
  const total = Math.floor((job.durationMs / 1_000) * ratePerSecond)
  const idle = [...connections]
  const due: { request: string; dueMs: number }[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []

  const send = async (connection: Connection): Promise<void> => {
    for (let item = due.shift(); item !== undefined; item = due.shift()) {
      const response = await connection.exchange(item.request)
      tally.add(performance.now() - item.dueMs, response)
    }
    idle.push(connection)
  }
  let released = 0
  while ((released < total || due.length > 0) && failures.length === 0) {
    const nowMs = performance.now()
    if (nowMs - startMs > job.durationMs + GRACE_MS) {
      tally.unsent = due.splice(0).length + total - released
      break
    }
    const shouldBe = Math.min(total, Math.floor(((nowMs - startMs) / 1_000) * ratePerSecond))
    // What the timer was late is the generator's, so a request is due when this loop finds it.
    for (; released < shouldBe; released += 1)
      due.push({ request: requests[released % requests.length] ?? '', dueMs: nowMs })
    while (due.length > 0) {
      const connection = idle.pop()
      if (connection === undefined) break
      const sending: Promise<void> = send(connection)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => underWay.delete(sending))
      underWay.add(sending)
    }
    await sleep(TICK_MS)
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}

/** The tier that a `Cache-Status` names (see src/http/cached.ts); `null` without one. */
function tierOf(head: string): string | null {
  const value = /\r\ncache-status: *([^\r]*)/i.exec(head)?.[1]
  if (value === undefined) return null
  return value.includes('fwd=miss') ? 'origin' : (/detail=([a-z]+)/.exec(value)?.[1] ?? 'unknown')
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
