import { readdir } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ERROR_CODES } from '../../src/errors.ts'
import { nobody, parsed } from './support/client.ts'
import { type OpenApi, openApi, operations } from './support/openapi.ts'
import { stack } from './support/stack.ts'

const Reference = z.looseObject({ $ref: z.string() })

/** Every object within a document. */
function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  for (const part of Object.values(value)) yield* objectsIn(part)
}

describe('the description of the API', () => {
  let document: OpenApi
  beforeAll(async () => {
    document = await openApi()
  })

  it('is OpenAPI 3.1, and says how to sign in', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/)
    expect(document.components.securitySchemes).toEqual({ apiKey: { type: 'http', scheme: 'bearer' } })
    expect(document.security).toEqual([{ apiKey: [] }])
    expect(Object.keys(document.paths).length).toBeGreaterThan(15)
  })

  it('names every parameter of a path, and no other', () => {
    for (const [path, item] of Object.entries(document.paths)) {
      expect(path).toMatch(/^\/api\/v1(\/[\w{}.-]+)+$/)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const { parameters } of Object.values(item)) {
        const declared = parameters.filter((one) => one.in === 'path')
        expect(declared.map(({ name }) => name)).toEqual(inPath)
        for (const { required } of declared) expect(required).toBe(true)
        const names = parameters.map((one) => `${one.in} ${one.name}`)
        expect(new Set(names).size).toBe(names.length)
      }
    }
  })

  it('refers to nothing that is not there', () => {
    let references = 0
    for (const object of objectsIn(document)) {
      const { data } = Reference.safeParse(object)
      if (data === undefined) continue
      references += 1
      const path = data.$ref.replace('#/', '').split('/')
      const target = path.reduce<unknown>((at, name) => Object(at)[name], document)
      expect(target, data.$ref).toBeTypeOf('object')
    }
    expect(references).toBeGreaterThan(10)
  })

  it('says of every operation how it succeeds, and how it refuses', () => {
    const success = z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.object() })) })
    for (const [path, item] of Object.entries(document.paths))
      for (const [method, { responses }] of Object.entries(item)) {
        const statuses = Object.keys(responses)
        const good = statuses.filter((status) => status.startsWith('2'))
        expect(good, `${method} ${path}`).toHaveLength(1)
        expect(statuses, `${method} ${path}`).toEqual(expect.arrayContaining(['401', '429']))
        for (const status of statuses) {
          if (status === '204') continue
          const { content } = success.parse(responses[status])
          const type = status.startsWith('2')
            ? /^(application\/json|text\/.+)$/
            : /^application\/problem\+json$/
          for (const name of Object.keys(content)) expect(name).toMatch(type)
        }
      }
  })
})

describe('pages for people', () => {
  const page = async (path: string) => {
    const answer = await nobody.get(path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.text).toMatch(/^<!doctype html>/i)
    return answer.text
  }

  it('describe every operation', async () => {
    const text = await page('/docs')
    const described = [...text.matchAll(/<code class="method">(\w+)<\/code> <code>([^<]+)<\/code>/g)]
    const all = (await operations()).map(({ method, path }) => `${method} ${path}`)
    expect(described.map(([, method, path]) => `${method?.toUpperCase()} ${path}`).toSorted()).toEqual(
      all.toSorted(),
    )
    expect((await nobody.get('/docs/style.css')).headers.get('content-type')).toMatch(/^text\/css/)
  })

  it('explain every problem', async () => {
    const list = await page('/problems')
    for (const code of ERROR_CODES) {
      expect(list).toContain(`href="/problems/${code}"`)
      expect(await page(`/problems/${code}`)).toContain(`<code>${code}</code>`)
    }
    expect((await nobody.get('/problems/nothing')).status).toBe(404)
  })

  it('begin with the dashboard, wherever in it somebody begins', async () => {
    const home = await page('/')
    expect(await page('/accounts')).toBe(home)
    expect(home).toContain('<script')
  })
})

describe('what watches over a deployment', () => {
  it('sees that the Worker lives, and which one it is', async () => {
    const health = z.object({
      status: z.literal('ok'),
      version: z.string(),
      commit: z.string(),
      schemaVersion: z.string(),
    })
    const answer = await nobody.get('/healthz')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { schemaVersion } = parsed(health, answer)
    const migrations = (await readdir('drizzle')).filter((name) => name.endsWith('.sql')).toSorted()
    expect(`${schemaVersion}.sql`).toBe(migrations.at(-1))
  })

  it('sees that everything it needs answers, and no more than that', async () => {
    const answer = await nobody.get('/readyz')
    expect(JSON.parse(answer.text)).toEqual({
      status: 'ready',
      checks: { postgres: 'ok', redis: 'ok', queue: 'ok' },
    })
    expect(answer.text).not.toContain(new URL(stack.controlUrl).port)
  })
})
