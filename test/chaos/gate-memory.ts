import { z } from 'zod'
import { GATE_PREFIX } from '../../src/adapters/call-gate-keys.ts'
import type { Platform } from '../../src/domain/platforms.ts'
import type { TestStack } from '../harness/stack.ts'
import { patiently } from './patience.ts'

/** What platforms have told the gate of their allowances, beside what it counts itself. */
const TOLD_FIELDS = ['until', 'lower', 'lower_until']

const Keys = z.array(z.string())
const Answer = z.object({ result: z.unknown() })

/** The gate's memory of what it was told, where a test has to let time pass that it has not. */
export class GateMemory {
  readonly #stack: TestStack

  constructor(stack: TestStack) {
    this.#stack = stack
  }

  /** Lets a platform's day be over, of which it has said that nothing is left. What was counted stays counted. */
  async endDay(platform: Platform): Promise<void> {
    await this.#forgetTold(`${GATE_PREFIX}:allowance:${platform}*`)
  }

  /** Lets every window be over, and every breaker have had its rest. */
  async endAll(): Promise<void> {
    await this.#forgetTold(`${GATE_PREFIX}:allowance:*`)
    const breakers = await this.#keys(`${GATE_PREFIX}:breaker:*`)
    if (breakers.length > 0) await this.#run(['DEL', ...breakers])
  }

  async #forgetTold(pattern: string): Promise<void> {
    for (const key of await this.#keys(pattern)) await this.#run(['HDEL', key, ...TOLD_FIELDS])
  }

  async #keys(pattern: string): Promise<string[]> {
    // Braces mean nothing in a pattern.
    return Keys.parse(await this.#run(['KEYS', pattern]))
  }

  #run(command: readonly string[]): Promise<unknown> {
    const { UPSTASH_REDIS_REST_URL = '', UPSTASH_REDIS_REST_TOKEN = '' } = this.#stack.bindings
    return patiently(async () => {
      const response = await fetch(UPSTASH_REDIS_REST_URL, {
        method: 'POST',
        headers: { authorization: `Bearer ${UPSTASH_REDIS_REST_TOKEN}` },
        body: JSON.stringify(command),
      })
      if (!response.ok) throw new Error(`Redis refuses ${command[0]}: ${response.status}`)
      return Answer.parse(await response.json()).result
    })
  }
}
