import { expect } from 'vitest'
import type { TestDatabase } from '../harness/database.ts'
import { profile } from './oauth-platform.ts'
import type { Answer, Asker, OAuthRig } from './rig.ts'

/** Somebody has agreed to let two accounts be read, and what the routes and the tables say of it. */

export const ONE = profile('one')
export const TWO = profile('two', { followers: null, displayName: null, avatarUrl: null })

/** Begins, agrees and comes back; the authorization waits for somebody to choose. @returns its id */
export async function grantedTo(
  rig: OAuthRig,
  asker: Asker,
  accounts: Parameters<OAuthRig['platform']['agree']>[1],
  input: object,
): Promise<string> {
  const { id, url } = await rig.begin(asker, input)
  expect((await rig.comeBack(asker, rig.platform.agree(url, accounts))).status).toBe(303)
  return id
}

export async function authorizationRow(
  database: TestDatabase,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const rows = await database.sql<Record<string, unknown>>(
    'SELECT * FROM account_authorizations WHERE id = $1',
    [id],
  )
  return rows[0]
}

export const problem = ({ status, body }: Answer) => [status, body.code]
export const items = ({ body }: Answer) => body.items as { id: string; handle: string; status: string }[]
