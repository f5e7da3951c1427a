import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { findRedisServer } from '../../scripts/local/redis.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { type Answer, Client, expectProblem, parsed } from './support/client.ts'
import { generationOf } from './support/expected.ts'
import { importFile, ndjson, type Person, signUp } from './support/people.ts'
import { kill, logLines, stack } from './support/stack.ts'
import { until } from './support/wait.ts'

const OVERVIEW = '/api/v1/dashboard/overview?period=28d'
/** After a dependency is back, answers are fresh within this time, and no restart is needed. */
const FRESH_WITHIN_MS = 30_000
const EVERY_MS = 50
/**
 * A probe asks Postgres every ten seconds, twice, for two seconds each; what memory has been vouched for before that
 * serves up to eight more. Then there is time left to see what is stale.
 */
const POSTGRES_OPENS_WITHIN_MS = 16_000
const POSTGRES_DOWN_MS = POSTGRES_OPENS_WITHIN_MS + 12_000

const Breakers = z.object({
  items: z.array(z.object({ name: z.string(), state: z.string(), scope: z.string() })),
})

const operator = new Client({ authorization: `Bearer ${stack.apiKey}` })

async function stateOf(name: string): Promise<string | undefined> {
  const { items } = await operator.read(Breakers, '/api/v1/ops/circuit-breakers')
  return items.find((item) => item.scope === 'isolate' && item.name === name)?.state
}

/** Asks for the overview over and over as long as an outage lasts. */
async function askDuring(person: Person, outage: Promise<void>): Promise<Answer[]> {
  const answers: Answer[] = []
  let isOver = false
  void outage.finally(() => {
    isOver = true
  })
  while (!isOver) {
    answers.push(await person.key.get(OVERVIEW))
    await sleep(EVERY_MS)
  }
  await outage
  return answers
}

const rows = (...likes: number[]) =>
  ndjson(
    likes.map((count) => ({ post_id: `likes-${count}`, posted_at: new Date().toISOString(), likes: count })),
  )

const likesOf = async (person: Person) =>
  (await person.key.read(Overview, `${OVERVIEW}&minGeneration=${await generationOf(person.workspaceId)}`))
    .totals.likes.value

describe('while a dependency is away', () => {
  let person: Person
  beforeAll(async () => {
    person = await signUp()
    await importFile(person.key, { handle: 'away', body: rows(1, 2) })
    await person.key.read(Overview, OVERVIEW)
    await operator.get('/api/v1/ops/circuit-breakers')
  })

  it(
    'Postgres: what is known goes on being answered, says that it is stale, and the breaker shows why',
    async () => {
      const outage = kill('postgres', POSTGRES_DOWN_MS)
      const asking = askDuring(person, outage)
      const opened = until(
        'the breaker is open',
        async () => ((await stateOf('postgres')) === 'open' ? true : null),
        { timeoutMs: POSTGRES_OPENS_WITHIN_MS },
      )
      await opened
      // Nothing is known of a question that nobody has asked, nor of a key that nobody has shown.
      const unknown = await person.key.get('/api/v1/dashboard/overview?period=12m')
      expectProblem(unknown, 503, 'unavailable')
      const stranger = new Client({ authorization: `Bearer tm_${'x'.repeat(43)}` })
      expectProblem(await stranger.get(OVERVIEW), 503, 'unavailable')

      const answers = await asking
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
      const stale = answers.filter((answer) => parsed(Overview, answer).stale)
      expect(stale.length).toBeGreaterThan(10)
      for (const { headers } of stale) expect(headers.get('cache-status')).toMatch(/detail=stale$/)

      const startedAt = Date.now()
      await until(
        'answers are fresh again',
        async () => {
          const isFresh = !(await person.key.read(Overview, OVERVIEW)).stale
          return isFresh && (await stateOf('postgres')) === 'closed' ? true : null
        },
        { timeoutMs: FRESH_WITHIN_MS },
      )
      expect(Date.now() - startedAt).toBeLessThan(FRESH_WITHIN_MS)
      await importFile(person.key, { handle: 'away', body: rows(3) })
      expect(await likesOf(person)).toBe(6)
    },
    POSTGRES_DOWN_MS + FRESH_WITHIN_MS + 30_000,
  )

  // One that is embedded in the stack cannot be killed.
  it.skipIf(!findRedisServer())(
    'Redis (needs a redis-server): nobody notices, and changes are seen',
    async () => {
      const outage = kill('redis', 9_000)
      const answers = await askDuring(person, outage)
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
      expect(answers.filter((answer) => parsed(Overview, answer).stale)).toEqual([])
      await until(
        'its breaker is closed',
        async () => ((await stateOf('redis')) === 'closed' ? true : null),
        {
          timeoutMs: FRESH_WITHIN_MS,
        },
      )
      await importFile(person.key, { handle: 'away', body: rows(4) })
      expect(await likesOf(person)).toBe(10)
      expect((await person.key.read(Overview, OVERVIEW)).stale).toBe(false)
      // What was to be stored is told to no log, whoever met the outage first: a reader, or a probe that says less.
      expect((await logLines()).filter((line) => line.includes('command was'))).toEqual([])
    },
  )
})
