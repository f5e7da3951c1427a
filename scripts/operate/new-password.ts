import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { hashPassword } from '../../src/adapters/auth/passwords.ts'

const PASSWORD_BYTES = 16

/**
 * Gives somebody a new password, for deployments that cannot send them a link: it ends their sessions, and
 * every link for a new password that is still open.
 * @returns the password; `null` where there is nobody with this address
 */
export async function giveNewPassword(options: { ownerUrl: string; email: string }): Promise<string | null> {
  const password = randomBytes(PASSWORD_BYTES).toString('base64url')
  const hash = await hashPassword(password)
  const client = new Client({ connectionString: options.ownerUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    const { rows } = await client.query<{ id: string }>(
      `UPDATE auth_accounts a SET password = $2, updated_at = now() FROM auth_users u
       WHERE a.user_id = u.id AND a.provider_id = 'credential' AND u.email = $1 RETURNING u.id`,
      [options.email.trim().toLowerCase(), hash],
    )
    const [person] = rows
    if (person === undefined) return null
    const ended = await client.query('DELETE FROM auth_sessions WHERE user_id = $1', [person.id])
    await client.query('DELETE FROM auth_verifications WHERE value = $1', [person.id])
    await client.query(`SELECT app_audit_person($1, 'password.reset', $2, NULL, NULL, NULL)`, [
      person.id,
      { by: 'operator', sessionsEnded: ended.rowCount },
    ])
    await client.query('COMMIT')
    return password
  } finally {
    // What is not committed is undone with the connection.
    await client.end()
  }
}
