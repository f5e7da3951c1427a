import { createHmac } from 'node:crypto'
import { NeonDbError } from '@neondatabase/serverless'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../test/harness/deps.ts'
import { createNeonDriver } from '../../db/neon.ts'
import { authAccounts, authSessions, authUsers, authVerifications } from '../../db/schema/auth.ts'
import { createAuth } from './auth.ts'
import { outageOf } from './outages.ts'

const SECRET = 's'.repeat(40)
const PUBLIC_URL = 'http://127.0.0.1'
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1/sql'

describe('while the database does not answer', () => {
  const nobody = () => Promise.reject(new Error('Nobody is told of anything'))
  const auth = createAuth({
    tables: {
      user: authUsers,
      session: authSessions,
      account: authAccounts,
      verification: authVerifications,
    },
    driver: createNeonDriver('postgresql://somebody:password@127.0.0.1/nothing', NOWHERE),
    secret: SECRET,
    publicUrl: PUBLIC_URL,
    trustedOrigins: [],
    log: silentLogger,
    waitUntil: () => {},
    canMail: false,
    operatorEmails: [],
    listener: {
      ...{ signedUp: nobody, signedIn: nobody, accessChanged: nobody },
      ...{ sessionEnded: async () => {}, addressVerified: async () => {}, sendPasswordReset: () => {} },
      sendVerification: () => {},
    },
  })
  const post = (path: string, body: object) =>
    auth.handle(
      new Request(PUBLIC_URL + path, {
        method: 'POST',
        headers: { origin: PUBLIC_URL, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  const unavailable = { code: 'unavailable', retryable: true }

  it('nobody is told that they have no session, or that something unexpected happened', async () => {
    const token = 't'.repeat(32)
    const signature = createHmac('sha256', SECRET).update(token).digest('base64')
    const cookie = `__Host-tidemark.session_token=${encodeURIComponent(`${token}.${signature}`)}`
    await expect(auth.session(new Headers({ cookie }))).rejects.toMatchObject(unavailable)
  })

  it('signing in and signing up wait for it', async () => {
    const person = { email: 'ada@example.com', password: 'harbour-lantern-42' }
    await expect(post('/auth/sign-in/email', person)).rejects.toMatchObject(unavailable)
    await expect(post('/auth/sign-up/email', { name: 'Ada', ...person })).rejects.toMatchObject(unavailable)
  })
})

describe('an outage', () => {
  const refused = (code?: string) => Object.assign(new NeonDbError('refused'), { code })
  const wrapped = (cause: Error) => new Error('wrapped', { cause: new Error('again', { cause }) })

  it.each([undefined, '08006', '53300', '57P01', '57014'])('is what the driver says with %s', (code) => {
    const error = refused(code)
    expect(outageOf(wrapped(error))).toBe(error)
  })

  it.each([wrapped(refused('23505')), wrapped(new Error('no')), 'a text', null])('is not %s', (error) => {
    expect(outageOf(error)).toBeNull()
  })
})
