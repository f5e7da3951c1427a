import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verifyPassword } from '../../src/adapters/auth/passwords.ts'
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts'
import { makeOperator, removeOperator } from './operator.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.sql('DELETE FROM auth_users')
  await database.sql('UPDATE deployment SET claimed_at = NULL')
})

const make = (email: string, name?: string) => makeOperator({ ownerUrl: database.ownerUrl, email, name })
const people = () =>
  database.sql<{
    name: string
    email: string
    email_verified: boolean
    password: string | null
    operates: boolean
  }>(
    `SELECT u.name, u.email, u.email_verified, a.password, o.user_id IS NOT NULL AS operates
     FROM auth_users u LEFT JOIN auth_accounts a ON a.user_id = u.id AND a.account_id = u.id
     LEFT JOIN operators o ON o.user_id = u.id ORDER BY u.email`,
  )

describe('making somebody an operator', () => {
  it('makes an account where there is none, and shows its password once', async () => {
    const made = await make(' Ada@Example.com ')
    expect(made).toEqual({ kind: 'created', password: expect.stringMatching(/^[\w-]{22}$/) })
    const [person] = await people()
    expect(person).toMatchObject({
      name: 'ada',
      email: 'ada@example.com',
      email_verified: true,
      operates: true,
    })
    const password = made.kind === 'created' ? made.password : ''
    expect(await verifyPassword(person?.password ?? '', password)).toBe(true)
    // Nobody becomes an operator by being first any more.
    expect(await database.sql('SELECT claimed_at IS NOT NULL AS claimed FROM deployment')).toEqual([
      { claimed: true },
    ])
    expect(await make('ada@example.com')).toEqual({ kind: 'known' })
  })

  it('leaves the account of somebody who is there as it is', async () => {
    await database.sql("INSERT INTO auth_users (id, name, email) VALUES ('1', 'Grace', 'grace@example.com')")
    expect(await make('grace@example.com', 'Another name')).toEqual({ kind: 'promoted', isVerified: false })
    expect(await people()).toEqual([
      { name: 'Grace', email: 'grace@example.com', email_verified: false, password: null, operates: true },
    ])
  })

  it('is done once, of several times at once', async () => {
    const made = await Promise.all([1, 2, 3].map(() => make('ada@example.com')))
    expect(made.map(({ kind }) => kind).toSorted()).toEqual(['created', 'known', 'known'])
    expect(await people()).toHaveLength(1)
  })

  it.each(['', 'ada', 'ada@', "ada'--"])('takes no %j', async (email) => {
    await expect(make(email)).rejects.toThrow('no e-mail address')
    expect(await people()).toEqual([])
  })

  it('can be taken back, and leaves the account', async () => {
    await make('ada@example.com')
    await make('grace@example.com')
    const remove = (email: string) => removeOperator({ ownerUrl: database.ownerUrl, email })
    expect(await remove('ADA@example.com')).toEqual({ wasOperator: true, left: 1 })
    expect(await remove('ada@example.com')).toEqual({ wasOperator: false, left: 1 })
    expect((await people()).map(({ email, operates }) => [email, operates])).toEqual([
      ['ada@example.com', false],
      ['grace@example.com', true],
    ])
  })
})

describe('the command', () => {
  const run = async (...args: string[]) => {
    const script = fileURLToPath(new URL('../operator-create.ts', import.meta.url))
    const env = { ...process.env, MIGRATION_DATABASE_URL: database.ownerUrl }
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { env })
    return stdout
  }

  it('says what it has done', async () => {
    const [, password = ''] =
      /^ {2}(\S{22})$/m.exec(await run('--email', 'ada@example.com', '--name', 'Ada')) ?? []
    const [person] = await people()
    expect(person).toMatchObject({ name: 'Ada', operates: true })
    expect(await verifyPassword(person?.password ?? '', password)).toBe(true)
    expect(await run('--email', 'ada@example.com')).toBe('ada@example.com is an operator already.\n')
    expect(await run('--email', 'ada@example.com', '--remove')).toContain('an operator no more')
    expect((await people())[0]).toMatchObject({ operates: false })
  })

  it('explains itself where the address is missing', async () => {
    await expect(run()).rejects.toMatchObject({ code: 2, stdout: expect.stringContaining('Usage:') })
  })
})
