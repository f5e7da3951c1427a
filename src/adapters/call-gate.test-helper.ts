import { afterAll, beforeAll, describe, inject } from 'vitest'
import { startRedis } from '../../scripts/local/redis.ts'
import { startUpstashRest } from '../../scripts/local/upstash-rest/index.ts'
import {
  type AdmittedCall,
  type CallGate,
  type CallOutcome,
  type GatedCall,
  type GateOperations,
  PlatformError,
  type SettledCall,
} from '../ports.ts'
import { createCallGate } from './call-gate.ts'
import { createGateOperations } from './gate-operations.ts'
import { createRedis } from './redis.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

export const OK: CallOutcome = {
  health: 'ok',
  status: 200,
  signal: null,
  retryAfterMs: null,
  paid: [],
  body: undefined,
}
export const FAILED: CallOutcome = { ...OK, health: 'failed', status: 503 }

/** An isolate with a gate of its own; its clock may be ahead of the others'. */
export interface Isolate {
  gate: CallGate
  /** What was settled here, in order. */
  settled: SettledCall[]
  /** The call, or why it was not admitted. Any other error is thrown. */
  admit(call: GatedCall): Promise<AdmittedCall | PlatformError>
  /** Admits a call, which must work, and books how it went. */
  make(call: GatedCall, outcome?: CallOutcome): Promise<void>
  /** How many of so many attempts, one after the other, are admitted. */
  count(call: GatedCall, attempts: number): Promise<number>
  /** Ends when all is booked. */
  booked(): Promise<void>
}

/** Gates that share what they know with nobody else's, and a time that moves when a test says so. */
export interface GateRig {
  now(): number
  setNow(nowMs: number): void
  pass(ms: number): void
  isolate(options?: { aheadMs?: number; url?: string }): Isolate
  operations: GateOperations
}

/** Runs a suite with the Redis of the project, and with the embedded one where that is another. */
export function describeWithEachRedis(name: string, define: (newRig: () => GateRig) => void): void {
  describe.each(['the given', 'the embedded'])(`${name} (%s Redis)`, (kind) => {
    let embedded: EmbeddedRedis | undefined
    beforeAll(async () => {
      if (kind === 'the embedded') embedded = await startEmbedded()
    })
    afterAll(() => embedded?.stop())
    define(() => createRig(embedded?.url))
  })
}

interface EmbeddedRedis {
  url: string
  stop(): Promise<void>
}

/** A Redis of one's own, which may go away. */
export async function startEmbedded(): Promise<EmbeddedRedis> {
  const redis = await startRedis({ searchPath: '' })
  const rest = await startUpstashRest({ token: inject('redisToken'), redis })
  return {
    url: rest.url,
    async stop() {
      await rest.stop()
      await redis.stop()
    },
  }
}

/** @param url where Redis is; the project's by default */
export function createRig(url = inject('redisUrl')): GateRig {
  const prefix = `tm:{gate-${crypto.randomUUID()}}`
  let nowMs = Date.parse('2026-11-22T10:00:00Z')
  const redisAt = (address: string) =>
    createRedis({ url: address, token: inject('redisToken'), timeoutMs: 5_000 })
  const clock = (aheadMs: number) => ({ now: () => nowMs + aheadMs })
  return {
    now: () => nowMs,
    setNow: (moment) => {
      nowMs = moment
    },
    pass: (ms) => {
      nowMs += ms
    },
    operations: createGateOperations(redisAt(url), clock(0), prefix),
    isolate: ({ aheadMs = 0, url: address = url } = {}) => {
      const work: Promise<unknown>[] = []
      const settled: SettledCall[] = []
      const gate = createCallGate({
        redis: redisAt(address),
        clock: clock(aheadMs),
        waitUntil: (promise) => void work.push(promise),
        prefix,
      })
      const admit = (call: GatedCall) =>
        gate
          .admit(call, (each) => void settled.push(each))
          .catch((error: unknown) => {
            if (error instanceof PlatformError) return error
            throw error
          })
      const booked = async () => void (await Promise.all(work.splice(0)))
      return {
        gate,
        settled,
        admit,
        booked,
        async make(call, outcome = OK) {
          const admitted = await gate.admit(call, (each) => void settled.push(each))
          admitted.settle(outcome)
          await booked()
        },
        async count(call, attempts) {
          let admitted = 0
          for (let i = 0; i < attempts; i++) if (!(await admit(call).then(isRefusal))) admitted += 1
          return admitted
        },
      }
    },
  }
}

export function isRefusal(answer: AdmittedCall | PlatformError): answer is PlatformError {
  return answer instanceof PlatformError
}

/** A call to a server of Mastodon, which costs nothing. */
export function callOf(options: Partial<GatedCall> = {}): GatedCall {
  return {
    platform: 'mastodon',
    operation: 'posts.list',
    server: 'social.example',
    rules: [{ key: 'calls', limit: 30, windowSeconds: 300 }],
    items: 40,
    mostCostMicros: 0,
    payer: null,
    leaves: 0,
    ...options,
  }
}
