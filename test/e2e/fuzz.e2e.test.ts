import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../src/errors.ts'
import { Problem } from './support/client.ts'
import { type DescribedOperation, describedOperations } from './support/described-operations.ts'
import { bearer, freshIp, makeKey, type Person } from './support/people.ts'
import { mayAsk, permissionOf } from './support/permissions.ts'
import { asCurl, type RawAnswer, type RawRequest, sendRaw } from './support/raw-http.ts'
import { requestArbitrary } from './support/request-arbitrary.ts'
import { logLines, queueIdle } from './support/stack.ts'
import { operatorSession } from './support/team.ts'
import { collectionsOf, makeThings, pathOf } from './support/things.ts'
import { RAW_BODIES, vocabularyOf } from './support/vocabulary.ts'

/** Cases an operation; `.ci/run` asks for 500, and `FUZZ_RUNS=5000` looks longer. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 200)
/** The same seed asks the same questions; one that a failure names repeats it. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_122)
/** So many cases of an operation are under way at once; the operations themselves are, a few at a time. */
const LANES = 6
/** On a busy machine; alone, nothing takes a tenth of it. */
const ANSWER_WITHIN_MS = 10_000
const SHRINK_WITHIN_MS = 60_000
/** Of a key's allowance: imports have the smallest one. */
const USES_OF_A_KEY = 150

/** Of all who ask, since a platform counts them together; the one answer of this kind that many requests may get. */
const SPENT = '"code":"platform_rate_limited"'

/** What is nobody's business outside: code, the database and its driver, what stands behind the Worker. */
const INSIDES =
  /\bat \S+:\d+|\bat \w+ \(|\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b|\$\d\b.*::|node_modules|\b(Type|Range|Syntax|Reference|Eval|Internal|Neon\w*|Drizzle\w*|Zod\w*)Error\b|\b(neon|drizzle|postgres|pg_\w+|upstash|qstash|workerd|miniflare|sqlstate|ECONN\w+)\b|syntax error|duplicate key|violates|is not a function|Cannot read prop|undefined \(reading/i

/** Keys, tickets and tokens that are given out once: drawn at random, they may spell anything. */
const SECRETS = /[\w-]{40,}/g

/** The answers to what was understood, and could be done or not. */
const CARRIED_OUT = [200, 201, 202, 204, 304, 403, 409, 410, 422]

/** Nobody has it to give away a second time. */
const ONCE = ['POST /api/v1/workspaces/{id}/transfer']

/** Everybody else would find every platform stopped; `operators.e2e.test.ts` asks it. */
const STOPS_EVERYTHING = ['POST /api/v1/ops/sync/pause']

const operations = (await describedOperations()).filter(({ name }) => !STOPS_EVERYTHING.includes(name))
const linesBefore = (await logLines()).length

const WORKSPACE_SCOPES = ['read', 'write', 'admin'] as const

/** Headers that say who asks: somebody who may, and whose allowance is never used up. */
async function credentialsOf(
  operation: DescribedOperation,
  person: Person,
): Promise<() => Promise<[string, string][]>> {
  const ip = (): [string, string] => ['cf-connecting-ip', freshIp()]
  if (operation.isPublic) return async () => [ip()]
  const isOperators = mayAsk({ role: null, scope: 'operator' }, operation)
  const takesKeys = isOperators || WORKSPACE_SCOPES.some((scope) => mayAsk({ role: null, scope }, operation))
  if (!takesKeys) return async () => [ip(), ['cookie', person.cookie]]
  const maker = isOperators ? await operatorSession() : person.session
  const newKey = async () => (await makeKey(maker, isOperators ? ['operator'] : [...WORKSPACE_SCOPES])).key
  let uses = 0
  let key = newKey()
  return async () => {
    uses += 1
    if (uses % USES_OF_A_KEY === 0) key = newKey()
    return [ip(), ['authorization', `Bearer ${await key}`]]
  }
}

/** @throws with a sentence unless the answer is one that this API gives */
function expectDecent(answer: RawAnswer, mayNameParts: boolean): void {
  const { status, headers, text, elapsedMs } = answer
  const shown = `${status} ${text.slice(0, 400)}`
  if (status >= 500 && !text.includes(SPENT)) throw new Error(`It is our own fault: ${shown}`)
  if (status === 429) throw new Error(`The allowance was used up, and nothing was tested: ${shown}`)
  if (status < 200) throw new Error(`No answer: ${shown}`)
  if (elapsedMs > ANSWER_WITHIN_MS) throw new Error(`It took ${elapsedMs} ms: ${shown}`)
  // Operators are told of what stands behind the Worker by name; a problem names it to nobody.
  const isGiven = status < 400
  const insides = mayNameParts && isGiven ? null : INSIDES.exec(isGiven ? text.replace(SECRETS, '') : text)
  if (insides !== null) throw new Error(`It shows what is inside ("${insides[0]}"): ${shown}`)
  if (status < 400) return
  if (headers['content-type'] !== 'application/problem+json') throw new Error(`No problem document: ${shown}`)
  const problem = Problem.parse(JSON.parse(text))
  if (!ERROR_CODES.some((code) => code === problem.code)) throw new Error(`An unknown code: ${shown}`)
  // A repeat is answered with what the first request was told, its id included.
  const isReplayed = headers['idempotent-replayed'] === 'true'
  if (problem.status !== status || (headers['x-request-id'] !== problem.requestId && !isReplayed))
    throw new Error(`The document says something else than its headers: ${shown}`)
}

class Attempt {
  readonly raw: RawRequest
  constructor(raw: RawRequest) {
    this.raw = raw
  }
  [fc.toStringMethod](): string {
    return asCurl(this.raw)
  }
}

/** Asks an operation everything. @returns how often each status was answered */
async function fuzz(operation: DescribedOperation): Promise<Record<number, number>> {
  const things = await makeThings()
  const credentials = await credentialsOf(operation, things.person)
  const words = await vocabularyOf(operation, things)
  const attempts = requestArbitrary(operation, { ids: things.ids, words, rawBodies: RAW_BODIES }).map(
    (raw) => new Attempt(raw),
  )
  const seen: Record<number, number> = {}
  const property = fc.asyncProperty(attempts, async ({ raw }) => {
    const headers = [...(await credentials()), ...raw.headers]
    const answer = await sendRaw({ ...raw, headers }, ANSWER_WITHIN_MS)
    seen[answer.status] = (seen[answer.status] ?? 0) + 1
    expectDecent(answer, permissionOf(operation) === 'operator')
  })
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      fc.check(property, {
        seed: SEED + lane,
        numRuns: Math.ceil(RUNS / LANES),
        interruptAfterTimeLimit: SHRINK_WITHIN_MS,
      }),
    ),
  )
  const failures = lanes.flatMap((lane) =>
    lane.failed ? [`${lane.errorInstance}\n  ${fc.stringify(lane.counterexample)}`] : [],
  )
  if (failures.length > 0)
    throw new Error(`With FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}:\n${[...new Set(failures)].join('\n')}`)
  await expectServed(operation, things)
  return seen
}

/** Expects that whoever asks properly is served, the same operation where that changes nothing. */
async function expectServed(
  operation: DescribedOperation,
  { ids, person }: Awaited<ReturnType<typeof makeThings>>,
): Promise<void> {
  const bystander = bearer(person.apiKey)
  const isTheirs = operation.method === 'GET' && permissionOf(operation) !== 'operator'
  for (const path of ['/api/v1/me', '/api/v1/posts', ...(isTheirs ? [pathOf(operation, ids)] : [])]) {
    const { status, text } = await bystander.get(path)
    if (status !== 200) throw new Error(`Afterwards ${path} was answered ${status} ${text}`)
  }
}

describe.concurrent(`${RUNS} requests of any kind`, { timeout: 600_000 }, () => {
  it.each(operations)('$name answers each decently, and goes on serving', async (operation) => {
    const seen = await fuzz(operation)
    // Many got through: what is refused at the door tests the door alone. Some can be done once.
    const carriedOut = CARRIED_OUT.reduce((sum, status) => sum + (seen[status] ?? 0), 0)
    const isOnce = operation.method === 'DELETE' || ONCE.includes(operation.name)
    const enough = isOnce ? 1 : Math.floor(RUNS / 20)
    const isThere = !collectionsOf(operation).includes('dead-letters')
    if (isThere && carriedOut < enough) throw new Error(`Hardly any was carried out: ${JSON.stringify(seen)}`)
  })
})

describe('what the requests left behind', () => {
  it('is no failure in the background', async () => {
    await queueIdle()
    const failures = (await logLines()).slice(linesBefore).filter((line) => line.includes('"level":"error"'))
    expect(failures.map((line) => line.slice(0, 1_000))).toEqual([])
  })
})
