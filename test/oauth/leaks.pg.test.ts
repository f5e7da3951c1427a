// Before any schema is made: it teaches them what the routes ask of them.
import '@hono/zod-openapi'

import { afterAll, beforeAll, expect, it } from 'vitest'
import { PlatformError } from '../../src/ports.ts'
import { openCredentials } from '../../src/services/credentials/open-credentials.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { profile } from './oauth-platform.ts'
import { startOAuth } from './rig.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const MARKER = 'MarkerSecret'
const ACCOUNTS = [profile('one'), profile('two')]

it('no code, token or verifier of an authorization is anywhere to be found', async () => {
  const rig = await startOAuth(database, { prefix: MARKER })
  const ada = await rig.person('ada')
  const bo = await rig.person('bo', { role: 'owner' })
  const states: string[] = []
  const begin = async () => {
    const begun = await rig.begin(ada)
    // The one answer that may hold the state is the address to go to.
    rig.answers.pop()
    states.push(new URL(begun.url).searchParams.get('state') ?? '')
    return begun
  }

  const { id, url } = await begin()
  const address = rig.platform.agree(url, ACCOUNTS)
  for (const asker of [{}, bo, ada, ada]) await rig.comeBack(asker, address)
  await rig.read(ada, id)
  expect((await rig.connect(ada, id, 'one')).status).toBe(201)
  expect((await rig.connect(ada, id, 'two')).status).toBe(409)
  const waiting = await begin()
  await rig.comeBack(ada, rig.platform.agree(waiting.url, ACCOUNTS))
  await rig.read(ada, waiting.id)
  await begin()

  // Every way to fail with them, by a platform that says them back.
  for (const failure of [
    new PlatformError('auth', 'The platform did not accept it.', {
      cause: new Error(`code=${rig.platform.given.at(-1)}`),
    }),
    new Error(`refused: access_token=${rig.platform.given.at(-1)}&code=${rig.platform.given.at(-1)}`),
  ]) {
    const failed = await begin()
    rig.platform.before = async () => {
      throw failure
    }
    await rig.comeBack(ada, rig.platform.agree(failed.url, ACCOUNTS))
    rig.platform.before = async () => {}
    await rig.read(ada, failed.id)
  }
  const [account] = await database.sql<{ id: string }>('SELECT id FROM accounts WHERE external_id = $1', [
    'one',
  ])
  const owner = { id: account?.id ?? '', workspaceId: rig.workspaceId }
  for (const _ of [1, 2]) {
    rig.elapse(2 * 3_600_000)
    const opened = await openCredentials(rig.deps, rig.platform.connector, null, [owner])
    expect(opened.get(owner.id)?.accessToken?.value).toContain(MARKER)
  }
  rig.platform.revokeAll()
  rig.elapse(2 * 3_600_000)
  const opened = await openCredentials(rig.deps, rig.platform.connector, null, [owner])
  expect(opened.get(owner.id)?.error?.kind).toBe('auth')
  rig.answers.push(String(opened.get(owner.id)?.error?.message))
  await rig.ask(ada, 'GET', `/api/v1/accounts/${owner.id}`)

  expect(rig.platform.given.length).toBeGreaterThan(10)
  const traces = [MARKER, ...states, ...rig.platform.given].flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('base64').slice(0, -4),
    Buffer.from(secret).toString('hex'),
  ])
  const expectNoTrace = (text: string, where: string) => {
    for (const trace of traces) expect(text.includes(trace), `${where}: ${text.slice(0, 200)}`).toBe(false)
  }
  for (const answer of rig.answers) expectNoTrace(answer, 'an answer')
  expect(rig.logged.length).toBeGreaterThan(2)
  for (const line of rig.logged) expectNoTrace(line, 'the log')
  expect(rig.queue.sent.length).toBeGreaterThan(0)
  expectNoTrace(JSON.stringify(rig.queue.sent), 'the queue')
  expectNoTrace(JSON.stringify(rig.told), 'the live events')
  const tables = await database.sql<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  )
  let rows = 0
  for (const { name } of tables) {
    const found = await database.sql<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`)
    for (const { row } of found) expectNoTrace(row, `the table ${name}`)
    rows += found.length
  }
  expect(rows).toBeGreaterThan(10)
  const sealed = await database.sql<{ status: string }>('SELECT status FROM account_authorizations')
  expect(sealed.map(({ status }) => status).toSorted()).toEqual([
    ...['failed', 'failed', 'granted', 'pending', 'used'],
  ])
})
