import { randomBytes, randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { z } from 'zod'
import { hashPassword } from '../../src/adapters/auth/passwords.ts'

export interface OperatorOptions {
  /** The owner's address: the application's role may not say who operates. */
  ownerUrl: string
  email: string
  /** Of somebody new; the part before the `@` by default. */
  name?: string | undefined
}

export type MadeOperator =
  /** There was nobody with this address: they sign in with this password. */
  | { kind: 'created'; password: string }
  /** Somebody was there, and is an operator from now on. Whose the address is, they may not have shown. */
  | { kind: 'promoted'; isVerified: boolean }
  | { kind: 'known' }

const PASSWORD_BYTES = 16

const Email = z.email().max(320)

/**
 * Makes somebody an operator, and an account for them where there is none: with a confirmed address, as
 * whoever may write to the database answers for it. They get their workspace when they first sign in.
 * @throws where this is no e-mail address
 */
export async function makeOperator({ ownerUrl, email, name }: OperatorOptions): Promise<MadeOperator> {
  const address = addressOf(email)
  const password = randomBytes(PASSWORD_BYTES).toString('base64url')
  const hash = await hashPassword(password)
  return inTransaction(ownerUrl, async (client) => {
    const id = randomUUID()
    const created = await client.query(
      `INSERT INTO auth_users (id, name, email, email_verified) VALUES ($1, $2, $3, TRUE)
       ON CONFLICT (email) DO NOTHING`,
      [id, name ?? address.split('@')[0], address],
    )
    if (created.rowCount === 1)
      await client.query(
        `INSERT INTO auth_accounts (id, account_id, provider_id, user_id, password)
         VALUES ($1, $2, 'credential', $2, $3)`,
        [randomUUID(), id, hash],
      )
    const { rows: promoted } = await client.query<{ verified: boolean }>(
      `INSERT INTO operators (user_id) SELECT id FROM auth_users WHERE email = $1 ON CONFLICT DO NOTHING
       RETURNING (SELECT email_verified FROM auth_users u WHERE u.id = user_id) AS verified`,
      [address],
    )
    // Somebody has come: nobody becomes the operator by being first.
    await client.query('UPDATE deployment SET claimed_at = now() WHERE claimed_at IS NULL')
    if (created.rowCount === 1) return { kind: 'created', password }
    const [now] = promoted
    return now === undefined ? { kind: 'known' } : { kind: 'promoted', isVerified: now.verified }
  })
}

/**
 * Takes from somebody what makes them an operator; their account stays.
 * @returns whether they were one, and how many there are now, beside those whom `OPERATOR_EMAILS` names
 */
export async function removeOperator({
  ownerUrl,
  email,
}: OperatorOptions): Promise<{ wasOperator: boolean; left: number }> {
  const address = addressOf(email)
  return inTransaction(ownerUrl, async (client) => {
    const removed = await client.query(
      'DELETE FROM operators USING auth_users u WHERE u.id = user_id AND u.email = $1',
      [address],
    )
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM operators')
    return { wasOperator: removed.rowCount === 1, left: rows[0]?.count ?? 0 }
  })
}

function addressOf(email: string): string {
  const parsed = Email.safeParse(email.trim().toLowerCase())
  if (!parsed.success) throw new Error(`${JSON.stringify(email)} is no e-mail address.`)
  return parsed.data
}

async function inTransaction<T>(ownerUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } finally {
    // What is not committed is undone with the connection.
    await client.end()
  }
}
