import { setTimeout as sleep } from 'node:timers/promises'
import { CACHE_POLICIES } from '../../../src/http/cached.ts'
import type { LoadGenerator } from '../../lib/load/load-generator.ts'
import type { Cell, Table } from '../../lib/table.ts'
import { assertAnswered, rateOf, sharesOf } from './answers.ts'
import type { Target } from './targets.ts'

const MAX_COLD_MS = 2_500
const PRIMING_CONNECTIONS = 2
/** Clocks differ by less. */
const MARGIN_MS = 50

const ORIGIN = 'origin (cold, distinct question)'
const COLO = "the data centre's cache"
const REGION = 'region (Redis)'
const TIERS = [COLO, REGION, ORIGIN]

/** The same questions, asked again when one tier after the other has forgotten them. */
export class TierMeasurement {
  readonly #generator: LoadGenerator
  readonly #rows: Cell[][] = []

  constructor(generator: LoadGenerator) {
    this.#generator = generator
  }

  /** Asks what nobody has asked before. */
  async askCold(questions: Target, connections: number): Promise<AskedQuestions> {
    const { requests, failed } = await this.#ask(ORIGIN, questions, connections)
    return asked(questions, requests + failed, connections)
  }

  /** The same without measuring, and gently. @param connections for when they are asked again */
  async prime(questions: Target, connections: number): Promise<AskedQuestions> {
    const { requests, failed } = await this.#generator.run({
      ...questions,
      connections: PRIMING_CONNECTIONS,
      durationMs: MAX_COLD_MS,
      once: true,
    })
    return asked(questions, requests + failed, connections)
  }

  /** Asks again as soon as memory has forgotten the answers. */
  async askColo(questions: AskedQuestions): Promise<void> {
    await sleepUntil(questions.askedMs + CACHE_POLICIES.overview.memoryMs + MARGIN_MS)
    await this.#ask(COLO, questions.target, questions.connections)
  }

  /** Asks again as soon as the data centre has, too. */
  async askRegion(questions: AskedQuestions): Promise<void> {
    await sleepUntil(questions.askedMs + CACHE_POLICIES.overview.coloMs + MARGIN_MS)
    await this.#ask(REGION, questions.target, questions.connections)
  }

  table(): Table {
    return {
      title: 'Reads: the overview from each tier below memory',
      columns: [
        { name: 'conns' },
        { name: 'tier' },
        { name: 'requests' },
        { name: 'refused' },
        { name: 'requests/s', digits: 0 },
        { name: 'p50', unit: 'ms' },
        { name: 'p95', unit: 'ms' },
        { name: 'answered by' },
      ],
      rows: this.#rows.toSorted(
        (a, b) => Number(a[0]) - Number(b[0]) || TIERS.indexOf(String(a[1])) - TIERS.indexOf(String(b[1])),
      ),
    }
  }

  async #ask(label: string, target: Target, connections: number) {
    const result = await this.#generator.run({ ...target, connections, durationMs: MAX_COLD_MS, once: true })
    // An origin that is asked for more than it can do refuses some.
    assertAnswered(label, result, true)
    const { requests, failed, latencyMs } = result
    this.#rows.push([
      connections,
      label,
      requests,
      failed,
      rateOf(result),
      latencyMs?.p50 ?? null,
      latencyMs?.p95 ?? null,
      sharesOf([result]),
    ])
    return result
  }
}

/** The questions that time sufficed for. */
function asked(questions: Target, count: number, connections: number): AskedQuestions {
  const target = { ...questions, paths: questions.paths.slice(0, count) }
  return { target, connections, askedMs: performance.now() }
}

interface AskedQuestions {
  target: Target
  connections: number
  /** When the last was asked, by `performance.now()`. */
  askedMs: number
}

async function sleepUntil(momentMs: number): Promise<void> {
  await sleep(Math.max(0, momentMs - performance.now()))
}
