import { createRoute } from '@hono/zod-openapi'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  accountFilter,
  commaList,
  createApi,
  json,
  jsonBody,
  limitParameter,
  minGenerationParameter,
  paging,
  problems,
  toFieldErrors,
} from './openapi.ts'
import { problemResponse } from './problem.ts'

const ID = '0190a0b0-c0d0-7000-8000-000000000001'

const fieldsOf = (schema: z.ZodType, value: unknown, prefix = '') => {
  const result = schema.safeParse(value)
  return result.success ? [] : toFieldErrors(result.error.issues, prefix)
}

describe('wrong fields', () => {
  const Body = z.strictObject({
    name: z.string(),
    items: z.array(z.object({ 'a/b~c': z.number() })),
  })

  it('are all named, by pointers into the body', () => {
    const errors = fieldsOf(Body, { items: [{ 'a/b~c': 1 }, { 'a/b~c': 'x' }], more: 1, other: 2 })
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/items/1/a~1b~0c',
      '/more',
      '/name',
      '/other',
    ])
    expect(errors.find(({ pointer }) => pointer === '/more')?.detail).toBe('There is no such field.')
  })

  it('stand behind where they were given', () => {
    expect(fieldsOf(z.object({ limit: limitParameter }), { limit: 'x' }, '/query')).toEqual([
      { pointer: '/query/limit', detail: 'must be a whole number from 1 to 100' },
    ])
  })

  it('are the whole where that is of another kind', () => {
    expect(fieldsOf(Body, 'text').map(({ pointer }) => pointer)).toEqual([''])
  })

  it('name unknown fields of inner objects where they are', () => {
    expect(fieldsOf(z.object({ inner: z.strictObject({}) }), { inner: { x: 1 } })).toEqual([
      { pointer: '/inner/x', detail: 'There is no such field.' },
    ])
  })
})

describe('a list separated by commas', () => {
  const list = commaList(z.enum(['a', 'b']), 3)

  it.each([
    [undefined, []],
    ['', []],
    [',, ,', []],
    ['a', ['a']],
    [' a , b,', ['a', 'b']],
    ['a,a,a', ['a', 'a', 'a']],
  ])('reads %j', (text, items) => {
    expect(list.parse(text)).toEqual(items)
  })

  it('names the item that is wrong, and refuses too many', () => {
    expect(fieldsOf(z.object({ list }), { list: 'a,c' }, '/query').map(({ pointer }) => pointer)).toEqual([
      '/query/list/1',
    ])
    expect(fieldsOf(z.object({ list }), { list: 'a,a,a,a' }, '/query').map(({ pointer }) => pointer)).toEqual(
      ['/query/list'],
    )
  })

  it('takes accounts, platforms and brands', () => {
    const filter = z.object(accountFilter)
    expect(filter.parse({ accounts: ID, platforms: 'bluesky,x' })).toEqual({
      accounts: [ID],
      platforms: ['bluesky', 'x'],
      brands: [],
    })
    const errors = fieldsOf(filter, { accounts: `${ID},nobody`, platforms: 'myspace', brands: "'" }, '/query')
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/query/accounts/1',
      '/query/brands/0',
      '/query/platforms/0',
    ])
  })
})

describe('paging', () => {
  it.each([
    [undefined, 25],
    ['1', 1],
    ['100', 100],
    ['007', 7],
  ])('with limit %j gives %d', (text, limit) => {
    expect(limitParameter.parse(text)).toBe(limit)
  })

  it.each(['0', '101', '-1', '1.5', '1e1', '', ' 5', '５', 'all', '99999999999999999999'])(
    'refuses the limit %j',
    (text) => {
      expect(limitParameter.safeParse(text).success).toBe(false)
    },
  )

  it('takes any generation that a number can be', () => {
    expect(minGenerationParameter.parse(undefined)).toBe(0)
    expect(minGenerationParameter.parse('0')).toBe(0)
    expect(minGenerationParameter.parse(String(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER)
    expect(minGenerationParameter.safeParse('9007199254740992').success).toBe(false)
    expect(minGenerationParameter.safeParse('-1').success).toBe(false)
  })

  it('refuses a cursor that is longer than any', () => {
    const query = z.object(paging)
    expect(query.safeParse({ cursor: 'x'.repeat(2_000) }).success).toBe(true)
    expect(query.safeParse({ cursor: 'x'.repeat(2_001) }).success).toBe(false)
  })
})

describe('a router', () => {
  const app = createApi().openapi(
    createRoute({
      method: 'post',
      path: '/things/{id}',
      request: {
        params: z.object({ id: z.uuid('is not an id') }),
        query: z.object({ limit: limitParameter }),
        body: jsonBody(z.strictObject({ name: z.string().min(1) })),
      },
      responses: { 200: json(z.object({ name: z.string() }), 'The thing'), ...problems(400) },
    }),
    (c) => c.json({ name: c.req.valid('json').name }, 200),
  )
  app.onError((error) => problemResponse(error, { url: 'http://x/things', requestId: 'r' }))

  const ask = async (path: string, body: string) => {
    const response = await app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const answer: { name?: string; errors?: { pointer: string }[] } = await response.json()
    return { status: response.status, name: answer.name, pointers: answer.errors?.map((e) => e.pointer) }
  }

  it('serves what is right', async () => {
    expect(await ask(`/things/${ID}?limit=5`, '{"name":"a"}')).toEqual({ status: 200, name: 'a' })
  })

  it.each([
    ['/things/one', '{"name":"a"}', ['/path/id']],
    [`/things/${ID}?limit=0`, '{"name":"a"}', ['/query/limit']],
    [`/things/${ID}`, '{"name":"","x":1}', ['/name', '/x']],
    [`/things/${ID}`, '[]', ['']],
  ])('refuses %s with %s, and points at %j', async (path, body, pointers) => {
    const answer = await ask(path, body)
    expect(answer.status).toBe(400)
    expect(answer.pointers?.toSorted()).toEqual(pointers)
  })
})

describe('documented problems', () => {
  it('are those of the route, and what every route may answer', () => {
    expect(Object.keys(problems(404, 400, 404))).toEqual(['400', '401', '404', '429'])
    expect(Object.keys(problems())).toEqual(['401', '429'])
  })
})
