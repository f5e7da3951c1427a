import { describe, expect, it } from 'vitest'
import { AppError, ERROR_CODES, invalidRequest, notFound } from '../errors.ts'
import { PROBLEMS, problemResponse } from './problem.ts'

const REQUEST = { url: 'https://tidemark.example.com/api/v1/posts?q=secret#x', requestId: 'req-12345678' }

async function read(error: unknown) {
  const response = problemResponse(error, REQUEST)
  return {
    response,
    status: response.status,
    text: await response.clone().text(),
    body: await response.json(),
  }
}

describe('a problem document', () => {
  it.each(ERROR_CODES)('tells of %s', async (code) => {
    const { response, status, body } = await read(new AppError(code, 'What went wrong.'))
    expect(status).toBe(PROBLEMS[code].status)
    expect(body).toEqual({
      type: `/problems/${code}`,
      title: PROBLEMS[code].title,
      status,
      detail: 'What went wrong.',
      instance: '/api/v1/posts',
      code,
      requestId: 'req-12345678',
    })
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.has('retry-after')).toBe(status === 429 || status === 503)
    expect(response.headers.has('www-authenticate')).toBe(status === 401)
  })

  it('exists for every code, with a sentence of its own', () => {
    expect(Object.keys(PROBLEMS).sort()).toEqual([...ERROR_CODES].sort())
    expect(new Set(Object.values(PROBLEMS).map(({ title }) => title)).size).toBe(ERROR_CODES.length)
  })

  it('has the statuses that were promised', () => {
    const promised = {
      invalid_request: 400,
      unauthorized: 401,
      insufficient_scope: 403,
      insufficient_role: 403,
      not_found: 404,
      method_not_allowed: 405,
      already_connected: 409,
      idempotency_in_progress: 409,
      gone: 410,
      payload_too_large: 413,
      unsupported_media_type: 415,
      account_not_found: 422,
      idempotency_mismatch: 422,
      rate_limited: 429,
      internal: 500,
      platform_unavailable: 503,
      unavailable: 503,
    }
    expect(
      Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])),
    ).toMatchObject(promised)
  })

  it.each([
    [new Error('connecting to postgres://app:hunter2@db failed')],
    [Object.assign(new Error('hunter2', { cause: 'hunter2' }), { code: 'not_found', message: 'hunter2' })],
    ['hunter2'],
    [{ code: 'not_found', message: 'hunter2' }],
    [null],
  ])('is a fixed sentence for what is not understood: %o', async (error) => {
    const { status, text, body } = await read(error)
    expect(status).toBe(500)
    expect(body).toMatchObject({ code: 'internal', requestId: 'req-12345678' })
    expect(body.detail).toBe('An unexpected error occurred. It has been logged under this request id.')
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('.ts')
  })

  it('shows neither stack nor cause of what is understood', async () => {
    const { text } = await read(new AppError('unavailable', 'Not now.', { cause: new Error('hunter2') }))
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('problem.test')
  })

  it('names every wrong field, and the id that stands in the way', async () => {
    const fields = [
      { pointer: '/handle', detail: 'is missing' },
      { pointer: '/query/limit', detail: 'must be from 1 to 100' },
    ]
    expect((await read(invalidRequest(fields))).body.errors).toEqual(fields)
    expect((await read(new AppError('already_connected', 'x', { existingId: 'a1' }))).body.existingId).toBe(
      'a1',
    )
    expect((await read(notFound('post'))).body).not.toHaveProperty('errors')
  })

  it.each([
    [undefined, '5'],
    [0, '1'],
    [1, '1'],
    [61_001, '62'],
  ])('says after %s ms when to try again: %s', (retryAfterMs, seconds) => {
    const error = new AppError('unavailable', 'x', retryAfterMs === undefined ? {} : { retryAfterMs })
    expect(problemResponse(error, REQUEST).headers.get('retry-after')).toBe(seconds)
  })
})
