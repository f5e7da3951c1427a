import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCredentialVault } from '../../../src/adapters/credential-vault.ts'
import { newId } from '../../../src/lib/ids.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, makeWorkspace } from '../../../test/harness/factories.ts'
import { describeRotation } from './report.ts'
import { rotateCredentials, unopened } from './rotate.ts'

const [OLD, NEW, LOST] = ['o', 'n', 'l'].map((letter) => btoa(letter.repeat(32))) as [string, string, string]
const vaultOf = (...keys: string[]) => createCredentialVault(keys)

let database: TestDatabase
let workspaceId: string
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.sql('DELETE FROM platform_credentials')
  workspaceId = await makeWorkspace(database)
})

interface Stored {
  id: string
  account_id: string
  key_id: string
  sealed: string
  updated_at: Date
}
const stored = () => database.sql<Stored>('SELECT * FROM platform_credentials ORDER BY id')

/** Accounts with a token each, sealed with a key. */
async function seed(count: number, key: string): Promise<void> {
  const vault = vaultOf(key)
  for (let i = 0; i < count; i += 1) {
    const accountId = await makeAccount(database, workspaceId, { platform: 'mastodon' })
    const { keyId, sealed } = await vault.seal(
      { workspaceId, accountId, platform: 'mastodon' },
      { accessToken: `token of ${accountId}` },
    )
    await database.sql(
      `INSERT INTO platform_credentials (id, workspace_id, account_id, platform, key_id, sealed, updated_at)
       VALUES ($1, $2, $3, 'mastodon', $4, $5, '2026-01-01T00:00:00Z')`,
      [newId(), workspaceId, accountId, keyId, sealed],
    )
  }
}

/** Every credential opens with these keys alone, and is still the one of its account. */
async function expectAllToOpenWith(...keys: string[]): Promise<void> {
  const vault = vaultOf(...keys)
  for (const { account_id: accountId, key_id: keyId, sealed } of await stored()) {
    const opened = await vault.open({ workspaceId, accountId, platform: 'mastodon' }, { keyId, sealed })
    expect(opened).toEqual({ accessToken: `token of ${accountId}` })
  }
}

const rotate = (given: Partial<Parameters<typeof rotateCredentials>[0]> = {}) =>
  rotateCredentials({ ownerUrl: database.ownerUrl, keys: [NEW, OLD], batchSize: 4, ...given })

describe('a rotation', () => {
  it('seals everything with the new key, so that the old one can go', async () => {
    await seed(10, OLD)
    await seed(3, NEW)
    const before = await stored()
    expect(await rotate()).toMatchObject({ rotated: 10, overtaken: 0, unknownKey: {}, broken: {} })
    await expectAllToOpenWith(NEW)
    const after = await stored()
    // What was sealed with it already is not touched, and no credential looks newer than it is.
    expect(after.slice(10)).toEqual(before.slice(10))
    expect(after.map((row) => row.updated_at)).toEqual(before.map((row) => row.updated_at))
    expect(await rotate()).toMatchObject({ rotated: 0 })
    expect(await stored()).toEqual(after)
  })

  it('writes nothing when it is only tried, and says how much it would', async () => {
    await seed(5, OLD)
    const before = await stored()
    const report = await rotate({ isDryRun: true })
    expect(report.rotated).toBe(5)
    expect(await stored()).toEqual(before)
    expect(describeRotation(report, true)).toBe(
      `5 credentials would be sealed with the key ${await vaultOf(NEW).currentKeyId()}; nothing was written.`,
    )
  })

  it('leaves what it cannot open, does the rest, and names the keys', async () => {
    await seed(3, LOST)
    await seed(6, OLD)
    const [, , third] = (await stored()).slice(6)
    await database.sql(`UPDATE platform_credentials SET sealed = reverse(sealed) WHERE id = $1`, [third?.id])
    const lostId = await vaultOf(LOST).currentKeyId()
    const oldId = await vaultOf(OLD).currentKeyId()
    const report = await rotate()
    expect(report).toMatchObject({ rotated: 5, unknownKey: { [lostId]: 3 }, broken: { [oldId]: 1 } })
    expect(unopened(report)).toBe(4)
    const text = describeRotation(report, false)
    expect(text).toContain(`3 credentials not opened: sealed with the key ${lostId}`)
    expect(text).toContain(`1 credential not opened: not what the key ${oldId} has sealed`)
    // With the key back, the rest follows.
    expect(await rotate({ keys: [NEW, OLD, LOST] })).toMatchObject({ rotated: 3, unknownKey: {} })
  })

  it('gives way to whoever stores or removes a credential meanwhile', async () => {
    await seed(6, OLD)
    const [first, second] = await stored()
    if (first === undefined || second === undefined) throw new Error('nothing is stored')
    const fresh = await vaultOf(OLD).seal(
      { workspaceId, accountId: first.account_id, platform: 'mastodon' },
      { accessToken: `token of ${first.account_id}` },
    )
    // Held until the rotation has read what it is about to write.
    const other = new Client({ connectionString: database.ownerUrl })
    await other.connect()
    await other.query('BEGIN')
    await other.query('UPDATE platform_credentials SET sealed = $2 WHERE id = $1', [first.id, fresh.sealed])
    await other.query('DELETE FROM platform_credentials WHERE id = $1', [second.id])
    const rotation = rotate({ batchSize: 100 })
    await waitForBlocked()
    await other.query('COMMIT')
    await other.end()
    expect(await rotation).toMatchObject({ rotated: 4, overtaken: 2 })
    expect((await stored())[0]?.sealed).toBe(fresh.sealed)
    expect(await rotate()).toMatchObject({ rotated: 1, overtaken: 0 })
    await expectAllToOpenWith(NEW)
  })

  it('may run twice at once', async () => {
    await seed(20, OLD)
    const reports = await Promise.all([rotate(), rotate(), rotate()])
    expect(reports.reduce((sum, { rotated }) => sum + rotated, 0)).toBe(20)
    await expectAllToOpenWith(NEW)
  })

  it('goes on where it was killed', async () => {
    await seed(12, OLD)
    const child = startProcess()
    // The first batch is written; in the middle of the second the process is gone.
    await once(child, 'message')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const newId = await vaultOf(NEW).currentKeyId()
    const done = (await stored()).filter((row) => row.key_id === newId).length
    expect(done).toBe(4)
    await expectAllToOpenWith(NEW, OLD)
    expect(await rotate()).toMatchObject({ rotated: 8 })
    await expectAllToOpenWith(NEW)
  })
})

/** A rotation in a process of its own, that stands still after its first batch. */
function startProcess(): ChildProcess {
  const program = `
    const { rotateCredentials } = await import(${JSON.stringify(new URL('rotate.ts', import.meta.url).href)})
    await rotateCredentials({
      ...JSON.parse(process.env.ROTATE), batchSize: 4,
      onBatch: (rotated) => { process.send(rotated); return new Promise(() => setInterval(() => {}, 1_000)) },
    })`
  const options = { ownerUrl: database.ownerUrl, keys: [NEW, OLD] }
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, ROTATE: JSON.stringify(options) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

/** Resolves when a statement of this database waits for another's lock. */
async function waitForBlocked(): Promise<void> {
  for (let tried = 0; tried < 200; tried += 1) {
    const rows = await database.sql(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (rows.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('nothing waits')
}
