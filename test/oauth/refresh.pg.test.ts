import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { storeCredential } from '../../src/db/queries/credentials.ts'
import { AppError } from '../../src/errors.ts'
import { newId } from '../../src/lib/ids.ts'
import { PlatformError } from '../../src/ports.ts'
import type { ServiceDeps } from '../../src/services/context.ts'
import {
  type OpenCredential,
  openCredentials,
  refreshNow,
} from '../../src/services/credentials/open-credentials.ts'
import { refreshExpiringCredentials } from '../../src/services/credentials/refresh-expiring.ts'
import { expiryOf, secretOf } from '../../src/services/credentials/renew-credential.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeAccount } from '../harness/factories.ts'
import { API_HOST, profile, REFRESH_AHEAD_MS } from './oauth-platform.ts'
import { type OAuthRig, startOAuth } from './rig.ts'

let database: TestDatabase
let rig: OAuthRig
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  // The daily job looks at every workspace.
  await database.sql('DELETE FROM workspaces')
  rig = await startOAuth(database)
})

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** An account with a credential that ends in two hours. */
async function connected(ofRig = rig): Promise<string> {
  const id = await makeAccount(database, ofRig.workspaceId, { platform: 'tiktok', source: 'credential' })
  await store(id, ofRig)
  return id
}

/** Stores a new credential, as somebody who has signed in does. @returns its access token */
async function store(id: string, ofRig = rig): Promise<string> {
  const { workspaceId } = ofRig
  const grant = ofRig.platform.grant([profile(id)])
  const owner = { workspaceId, accountId: id, platform: 'tiktok' as const }
  const sealed = await ofRig.vault.seal(owner, secretOf(grant))
  const nowIso = new Date(ofRig.now()).toISOString()
  await database.db.inWorkspace(workspaceId, [
    storeCredential(workspaceId, {
      ...{ id: newId(), accountId: id, ...sealed, expiresAt: expiryOf(grant), nowIso },
    }),
  ])
  return grant.accessToken
}

async function open(id: string, deps: ServiceDeps = rig.deps): Promise<OpenCredential> {
  const { workspaceId } = rig
  const opened = await openCredentials(deps, rig.platform.connector, null, [{ id, workspaceId }])
  const credential = opened.get(id)
  if (credential === undefined) throw new Error('The account has no entry')
  return credential
}

const now = (id: string, readWith: string | null, error = REFUSED) =>
  refreshNow(rig.deps, rig.platform.connector, { id, workspaceId: rig.workspaceId }, { readWith, error })
const REFUSED = new PlatformError('auth', 'The platform refuses the token.', { status: 401 })

const tokenOf = (credential: OpenCredential) => credential.accessToken?.value ?? ''
/** Whether an account can be read with what was opened. */
const works = (credential: OpenCredential) => rig.platform.isGood(tokenOf(credential))
const rowOf = async (id: string) =>
  (
    await database.sql<{ expires_at: Date; refreshing_until: Date | null; sealed: string }>(
      'SELECT * FROM platform_credentials WHERE account_id = $1',
      [id],
    )
  )[0]
const statusOf = async (id: string) =>
  (await database.sql<object>('SELECT status, status_reason FROM accounts WHERE id = $1', [id]))[0]
const times = (count: number) => Array.from({ length: count })
/** So that it ends soon, and works still. */
const almostTwoHours = () => rig.elapse(2 * HOUR_MS - REFRESH_AHEAD_MS + SECOND_MS)

const failing = (error: Error) => {
  rig.platform.before = async () => {
    throw error
  }
}
const DOWN = new PlatformError('transient', 'The platform does not answer.')

describe('a credential that somebody gave us at its platform', () => {
  it('is sent to the platform’s own host, and left alone while it works', async () => {
    const id = await connected()
    const credential = await open(id)
    expect(credential.accessToken).toMatchObject({ host: API_HOST, allowance: id })
    expect(works(credential)).toBe(true)
    rig.elapse(2 * HOUR_MS - REFRESH_AHEAD_MS - MINUTE_MS)
    expect(await open(id)).toEqual(credential)
    expect(rig.platform.refreshes).toEqual([])
  })

  it('is asked of somebody where there is none', async () => {
    const id = await makeAccount(database, rig.workspaceId, { platform: 'tiktok' })
    const credential = await open(id)
    expect(credential.storedAt).toBeNull()
    expect(credential.error).toMatchObject({ kind: 'auth', retryAfterMs: null })
    expect(credential.error?.message).toContain('sign in there again')
  })

  it('is renewed before it ends, again and again, each time with what came last', async () => {
    const id = await connected()
    const seen = new Set<string>()
    for (let round = 1; round <= 4; round += 1) {
      almostTwoHours()
      const credential = await open(id)
      expect(works(credential)).toBe(true)
      seen.add(tokenOf(credential))
      expect(credential.storedAt).not.toBeNull()
      const row = await rowOf(id)
      expect(row?.expires_at.getTime()).toBeGreaterThan(rig.now() + HOUR_MS)
      expect(row?.refreshing_until).toBeNull()
    }
    expect(seen.size).toBe(4)
    // The platform takes each refresh token once.
    expect(new Set(rig.platform.refreshes).size).toBe(4)
  })

  it.each([
    ['works still', 2 * HOUR_MS - REFRESH_AHEAD_MS + SECOND_MS],
    ['has ended', 2 * HOUR_MS + MINUTE_MS],
  ])('is renewed by one of ten at once where it %s', async (_what, afterMs) => {
    const id = await connected()
    rig.elapse(afterMs)
    rig.platform.before = () => new Promise((resolve) => setTimeout(resolve, 100))
    const opened = await Promise.all(times(10).map(() => open(id)))
    expect(rig.platform.refreshes).toHaveLength(1)
    expect(opened.some(works)).toBe(true)
    for (const credential of opened)
      if (credential.error !== undefined) {
        expect(afterMs).toBeGreaterThan(2 * HOUR_MS)
        expect(credential.error).toMatchObject({ kind: 'transient', retryAfterMs: 5_000 })
      }
    const after = await Promise.all(times(10).map(() => open(id)))
    expect(after.every(works)).toBe(true)
    expect(rig.platform.refreshes).toHaveLength(1)
  })

  it('is renewed by somebody else where whoever began it dies', async () => {
    const id = await connected()
    rig.elapse(2 * HOUR_MS + MINUTE_MS)
    failing(new Error('killed'))
    await expect(open(id)).rejects.toThrow('killed')
    rig.platform.before = async () => {}
    expect((await open(id)).error).toMatchObject({ kind: 'transient', retryAfterMs: 5_000 })
    expect(rig.platform.refreshes).toHaveLength(1)
    rig.elapse(31 * SECOND_MS)
    expect(works(await open(id))).toBe(true)
    expect(rig.platform.refreshes).toHaveLength(2)
  })

  it('goes on as it is while its platform is down, and is tried again later', async () => {
    const id = await connected()
    almostTwoHours()
    const before = await rowOf(id)
    failing(DOWN)
    for (const _ of times(3)) expect(works(await open(id))).toBe(true)
    expect(rig.platform.refreshes).toHaveLength(1)
    rig.elapse(MINUTE_MS)
    await open(id)
    expect(rig.platform.refreshes).toHaveLength(2)
    expect((await rowOf(id))?.sealed).toBe(before?.sealed)
    rig.elapse(20 * MINUTE_MS)
    expect((await open(id)).error).toBe(DOWN)
    rig.platform.before = async () => {}
    rig.elapse(MINUTE_MS)
    expect(works(await open(id))).toBe(true)
  })

  it('needs somebody who signs in again where the platform takes it back', async () => {
    const id = await connected()
    almostTwoHours()
    rig.platform.revokeAll()
    const { error, storedAt } = await open(id)
    expect(error).toMatchObject({
      kind: 'auth',
      retryAfterMs: null,
      message: 'TikTok no longer lets us read this account: sign in there again.',
    })
    expect(storedAt).not.toBeNull()
    // Whoever does is not kept waiting.
    await store(id)
    expect(works(await open(id))).toBe(true)
  })

  it('is used to its end where the platform renews none', async () => {
    const id = await connected()
    rig.platform.renewsNothing = true
    almostTwoHours()
    expect(works(await open(id))).toBe(true)
    rig.elapse(20 * MINUTE_MS)
    expect((await open(id)).error).toMatchObject({ kind: 'auth', retryAfterMs: null })
  })

  it('does not come in place of one that somebody stores meanwhile', async () => {
    const id = await connected()
    rig.elapse(2 * HOUR_MS + MINUTE_MS)
    let newer = ''
    rig.platform.before = async () => {
      newer = await store(id)
    }
    expect(tokenOf(await open(id))).toBe(newer)
    expect(tokenOf(await open(id))).toBe(newer)
    expect(rig.platform.refreshes).toHaveLength(1)
  })

  it('is not lost where the database does not answer as it is stored', async () => {
    const id = await connected()
    almostTwoHours()
    let broken = 0
    rig.platform.before = async () => {
      broken = 2
    }
    const db: Db = {
      outside: (query, options) => database.db.outside(query, options),
      inWorkspace: async (workspaceId, statements, options) => {
        if (broken > 0) {
          broken -= 1
          throw new AppError('unavailable', 'The database does not answer at the moment.')
        }
        return database.db.inWorkspace(workspaceId, statements, options)
      },
    }
    expect(works(await open(id, rig.over(db)))).toBe(true)
    almostTwoHours()
    expect(works(await open(id))).toBe(true)
    expect(new Set(rig.platform.refreshes).size).toBe(2)
  })
})

describe('a token that its platform refuses while it should be good', () => {
  it('is renewed once, whoever finds out', async () => {
    const id = await connected()
    const { storedAt } = await open(id)
    const renewed = await Promise.all(times(6).map(() => now(id, storedAt)))
    expect(rig.platform.refreshes).toHaveLength(1)
    expect(renewed.some(works)).toBe(true)
    for (const { error } of renewed)
      if (error !== undefined) expect(error).toMatchObject({ kind: 'transient', retryAfterMs: 5_000 })
    // Whoever was called with the old one takes what is there by now.
    expect(works(await now(id, storedAt))).toBe(true)
    expect(rig.platform.refreshes).toHaveLength(1)
  })

  it('is as the platform said where nothing can be renewed', async () => {
    const id = await connected()
    const { storedAt } = await open(id)
    rig.platform.renewsNothing = true
    expect(await now(id, storedAt)).toEqual({ storedAt, error: REFUSED })
    rig.platform.renewsNothing = false
    failing(DOWN)
    expect(await now(id, storedAt)).toEqual({ storedAt, error: DOWN })
    rig.elapse(MINUTE_MS)
    rig.platform.before = async () => {}
    rig.platform.revokeAll()
    expect((await now(id, storedAt)).error).toMatchObject({ kind: 'auth', retryAfterMs: null })
  })

  it('stays what it is on platforms whose tokens people paste', async () => {
    const { oauth: _oauth, ...pasted } = rig.platform.connector
    const account = { id: newId(), workspaceId: rig.workspaceId }
    const refused = { readWith: 'then', error: REFUSED }
    expect(await refreshNow(rig.deps, pasted, account, refused)).toEqual({
      ...{ storedAt: 'then', error: REFUSED },
    })
  })
})

describe('the daily renewal', () => {
  it('renews what would end unnoticed, and leaves the rest alone', async () => {
    const later = await connected()
    const other = await startOAuth(database)
    rig.elapse(HOUR_MS)
    const far = await connected()
    const before = await rowOf(far)
    rig.elapse(HOUR_MS - REFRESH_AHEAD_MS + SECOND_MS)
    await database.sql(`UPDATE accounts SET status = 'paused' WHERE id = $1`, [later])
    const elsewhere = await connected(other)
    await database.sql('UPDATE platform_credentials SET expires_at = $2 WHERE account_id = $1', [
      ...[elsewhere, new Date(rig.now() + MINUTE_MS)],
    ])
    const deps = { ...rig.deps, connectors: async () => ({ tiktok: rig.platform.connector }) }
    rig.platform.before = async () => {}
    const report = await refreshExpiringCredentials(deps)
    // The other workspace's was granted by another platform of the same name: it is refused, by itself.
    expect(report).toEqual({ due: 2, renewedOrStanding: 1, refused: 1, failed: 0, left: 0 })
    expect(works(await open(later))).toBe(true)
    expect(await statusOf(later)).toMatchObject({ status: 'paused' })
    expect(await statusOf(elsewhere)).toMatchObject({
      status: 'needs_auth',
      status_reason: 'TikTok no longer lets us read this account: sign in there again.',
    })
    expect((await rowOf(far))?.sealed).toBe(before?.sealed)
    expect((await refreshExpiringCredentials(deps)).due).toBe(0)
  })

  it('leaves for another time what fails for a passing reason', async () => {
    const id = await connected()
    rig.elapse(3 * HOUR_MS)
    failing(DOWN)
    expect(await refreshExpiringCredentials(rig.deps)).toMatchObject({ due: 1, failed: 1 })
    expect(await statusOf(id)).toMatchObject({ status: 'active' })
  })

  it('has nothing to do where nobody has to sign in anywhere', async () => {
    await connected()
    rig.elapse(3 * HOUR_MS)
    expect(await refreshExpiringCredentials({ ...rig.deps, connectors: async () => ({}) })).toMatchObject({
      due: 0,
    })
    expect(rig.platform.refreshes).toEqual([])
  })
})
