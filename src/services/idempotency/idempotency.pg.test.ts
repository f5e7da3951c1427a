import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import type { IdempotencyScope } from '../../db/queries/idempotency.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { makeRig } from '../imports/rig.test-helper.ts'
import { claimIdempotencyKey, type StoredAnswer, settleIdempotencyKey } from './idempotency.ts'

let database: TestDatabase
let ctx: ServiceContext
let scope: IdempotencyScope
beforeAll(async () => {
  database = await createTestDatabase()
  ctx = (await makeRig(database)).ctx
})
beforeEach(() => {
  scope = {
    workspaceId: ctx.workspace.id,
    caller: 'key:a',
    path: '/api/v1/accounts',
    key: crypto.randomUUID(),
  }
})
afterAll(() => database.close())

const ANSWER: StoredAnswer = {
  status: 201,
  headers: { 'content-type': 'application/json', location: '/api/v1/jobs/1' },
  body: '{"id":"1","text":"Ünïcode ✓"}',
}

const claim = (bodyHash = 'body', of: Partial<IdempotencyScope> = {}) =>
  claimIdempotencyKey(ctx, { ...scope, ...of }, bodyHash)

const settle = (answer: Partial<StoredAnswer> = {}) =>
  settleIdempotencyKey(ctx, scope, { ...ANSWER, ...answer })

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof AppError) return error.code
      throw error
    },
  )

const age = (interval: string) =>
  database.sql('UPDATE idempotency_keys SET created_at = now() - $2::interval WHERE key = $1', [
    scope.key,
    interval,
  ])

describe('a request with an idempotency key', () => {
  it('is carried out the first time, and answered from memory from then on', async () => {
    expect(await claim()).toEqual({ first: true })
    await settle()
    expect(await claim()).toEqual({ first: false, answer: ANSWER })
    expect(await claim()).toEqual({ first: false, answer: ANSWER })
  })

  it('is told to come back while the first is still running', async () => {
    await claim()
    await expect(claim()).rejects.toMatchObject({
      code: 'idempotency_in_progress',
      retryable: true,
      retryAfterMs: 1_000,
    })
  })

  it('is refused with another body, while the first is running and after', async () => {
    await claim('one')
    expect(await codeOf(claim('two'))).toBe('idempotency_mismatch')
    await settle()
    expect(await codeOf(claim('two'))).toBe('idempotency_mismatch')
    expect(await claim('one')).toMatchObject({ first: false })
  })

  it('is one of its caller, path and workspace', async () => {
    await claim()
    await settle()
    expect(await claim('other', { caller: 'key:b' })).toEqual({ first: true })
    expect(await claim('other', { path: '/api/v1/imports' })).toEqual({ first: true })
    expect(await claim('other', { key: `${scope.key}x` })).toEqual({ first: true })
    const elsewhere = (await makeRig(database)).ctx
    expect(
      await claimIdempotencyKey(elsewhere, { ...scope, workspaceId: elsewhere.workspace.id }, 'other'),
    ).toEqual({ first: true })
  })

  it('is carried out by one alone of many who come at once', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () =>
        claim().then(
          ({ first }) => (first ? 'first' : 'replayed'),
          (error: unknown) => (error instanceof AppError ? error.code : 'failed'),
        ),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'first')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'idempotency_in_progress')).toHaveLength(11)
  })

  it.each([200, 201, 202, 204, 400, 404, 409, 422])('keeps the answer %d', async (status) => {
    await claim()
    await settle({ status })
    expect(await claim()).toEqual({ first: false, answer: { ...ANSWER, status } })
  })

  it.each([429, 500, 502, 503])('does not keep the answer %d: a repeat may succeed', async (status) => {
    await claim()
    await settle({ status })
    expect(await claim('even another body')).toEqual({ first: true })
  })

  it('keeps an answer without a body or headers', async () => {
    await claim()
    await settle({ status: 204, headers: {}, body: '' })
    expect(await claim()).toEqual({ first: false, answer: { status: 204, headers: {}, body: '' } })
  })

  it('is carried out again when the first has given no answer for two minutes, by one alone', async () => {
    await claim()
    await age('1 minute 55 seconds')
    expect(await codeOf(claim())).toBe('idempotency_in_progress')
    await age('2 minutes 1 second')
    const again = await Promise.all([codeOf(claim()), codeOf(claim()), codeOf(claim())])
    expect(again.sort()).toEqual(['idempotency_in_progress', 'idempotency_in_progress', 'none'])
    expect(await codeOf(claim())).toBe('idempotency_in_progress')
  })

  it('may have another body then, which is what its repeats are held against', async () => {
    await claim('one')
    await age('3 minutes')
    expect(await claim('two')).toEqual({ first: true })
    await settle()
    expect(await codeOf(claim('one'))).toBe('idempotency_mismatch')
    expect(await claim('two')).toEqual({ first: false, answer: ANSWER })
  })

  it('is not carried out again because its answer is old', async () => {
    await claim()
    await settle()
    await age('23 hours')
    expect(await claim()).toEqual({ first: false, answer: ANSWER })
  })
})
