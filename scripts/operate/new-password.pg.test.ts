import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyPassword } from '../../src/adapters/auth/passwords.ts'
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts'
import { makeWorkspace } from '../../test/harness/factories.ts'
import { giveNewPassword } from './new-password.ts'
import { makeOperator } from './operator.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const give = (email: string) => giveNewPassword({ ownerUrl: database.ownerUrl, email })
const stored = (email: string) =>
  database.sql<{ id: string; password: string }>(
    'SELECT u.id, a.password FROM auth_users u JOIN auth_accounts a ON a.user_id = u.id WHERE u.email = $1',
    [email],
  )

it('gives one person a new password, ends what the old one opened, and writes it down', async () => {
  for (const email of ['ada@example.com', 'grace@example.com'])
    await makeOperator({ ownerUrl: database.ownerUrl, email })
  const [[ada], [grace]] = [await stored('ada@example.com'), await stored('grace@example.com')]
  const workspaceId = await makeWorkspace(database)
  await database.sql("INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, 'owner')", [
    workspaceId,
    ada?.id,
  ])
  for (const { id = '' } of [ada ?? {}, grace ?? {}])
    await database.sql(
      `INSERT INTO auth_sessions (id, token, user_id, expires_at) VALUES ($1, $1, $1, now() + interval '1 day')`,
      [id],
    )
  await database.sql(
    `INSERT INTO auth_verifications (id, identifier, value, expires_at)
     VALUES ('link', 'reset-password:secret', $1, now() + interval '1 hour')`,
    [ada?.id],
  )

  const password = await give(' Ada@example.com ')
  expect(password).toMatch(/^[\w-]{22}$/)
  const [after] = await stored('ada@example.com')
  expect(await verifyPassword(after?.password ?? '', password ?? '')).toBe(true)
  expect(await stored('grace@example.com')).toEqual([grace])
  expect(await database.sql('SELECT user_id FROM auth_sessions')).toEqual([{ user_id: grace?.id }])
  expect(await database.sql('SELECT id FROM auth_verifications')).toEqual([])
  expect(await database.sql('SELECT workspace_id, action, actor_name, details FROM audit_log')).toMatchObject(
    [
      {
        workspace_id: workspaceId,
        action: 'password.reset',
        actor_name: 'ada@example.com',
        details: { by: 'operator', sessionsEnded: 1 },
      },
    ],
  )
})

it('does nothing for an address that nobody has', async () => {
  const before = await database.sql('SELECT * FROM auth_accounts')
  expect(await give('nobody@example.com')).toBeNull()
  expect(await database.sql('SELECT * FROM auth_accounts')).toEqual(before)
})
