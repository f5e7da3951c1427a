import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { z } from 'zod'
import { stack } from './stack.ts'

/** RFC 9457, as the API promises it. */
export const Problem = z.object({
  type: z.string(),
  title: z.string().min(1),
  status: z.number().int(),
  detail: z.string().min(1),
  code: z.string(),
  requestId: z.string().min(1),
  existingId: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string().min(1) })).optional(),
})
export type Problem = z.infer<typeof Problem>

export interface Answer {
  status: number
  headers: Headers
  text: string
}

export interface SendOptions {
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is; a stream goes out in chunks, without saying its length. */
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>
  headers?: Record<string, string>
}

/** Somebody who asks the API, with what tells who it is. */
export class Client {
  readonly #headers: Record<string, string>

  constructor(headers: Record<string, string> = {}) {
    this.#headers = headers
  }

  /** The same one, saying more about itself. */
  with(headers: Record<string, string>): Client {
    return new Client({ ...this.#headers, ...headers })
  }

  async send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const { json, body = json === undefined ? null : JSON.stringify(json), headers } = options
    const response = await fetch(new URL(path, stack.url), {
      method,
      body,
      headers: {
        ...this.#headers,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      // What undici asks of those who send streams; the type does not know it.
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  /** A POST that says how long its body is, and never sends it. */
  announce(path: string, bodyBytes: number, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const all = { ...this.#headers, 'content-length': String(bodyBytes), ...headers }
      const announced = request(new URL(path, stack.url), { method: 'POST', headers: all }, (response) => {
        const { statusCode: status = 0, rawHeaders } = response
        const pairs = rawHeaders.flatMap((name, i): [string, string][] =>
          i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : [],
        )
        text(response)
          .then((text) => resolve({ status, headers: new Headers(pairs), text }), reject)
          .finally(() => announced.destroy())
      })
      announced.on('error', reject)
      announced.flushHeaders()
    })
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, { headers })
  }

  post(path: string, json?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, { json, headers })
  }

  patch(path: string, json: unknown): Promise<Answer> {
    return this.send('PATCH', path, { json })
  }

  delete(path: string): Promise<Answer> {
    return this.send('DELETE', path)
  }

  /** What is at a path. @throws unless it is there, and of this shape */
  async read<T>(schema: z.ZodType<T>, path: string): Promise<T> {
    return parsed(schema, await this.get(path), 200)
  }

  /** What came of a POST. @throws unless it was answered with 200, 201 or 202, and with this shape */
  async make<T>(schema: z.ZodType<T>, path: string, json?: unknown): Promise<T> {
    const answer = await this.post(path, json)
    return parsed(schema, answer, [200, 201, 202].includes(answer.status) ? answer.status : 201)
  }

  /** Every item of a list, page by page. */
  async readAll<T>(item: z.ZodType<T>, path: string): Promise<T[]> {
    const page = z.object({ items: z.array(item), nextCursor: z.string().nullable() })
    const items: T[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const url = new URL(path, stack.url)
      if (cursor !== '') url.searchParams.set('cursor', cursor)
      const { items: more, nextCursor } = await this.read(page, url.pathname + url.search)
      items.push(...more)
      cursor = nextCursor
    }
    return items
  }
}

/** A body of so many bytes, in chunks, that does not say how long it is. */
export function chunkedBody(bytes: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunk = new Uint8Array(1_000_000).fill(0x20)
  let left = bytes
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close()
      const next = chunk.subarray(0, Math.min(left, chunk.byteLength))
      left -= next.byteLength
      controller.enqueue(next)
    },
  })
}

/** Nobody in particular. */
export const nobody = new Client()

/** The body of an answer. @throws with the answer's own words unless it has this status */
export function parsed<T>(schema: z.ZodType<T>, answer: Answer, status = 200): T {
  if (answer.status !== status) throw new Error(`Expected ${status}, got ${answer.status}: ${answer.text}`)
  return schema.parse(JSON.parse(answer.text))
}

/** Expects a problem document with this status and code. */
export function expectProblem(answer: Answer, status: number, code: string): Problem {
  expect(`${answer.status} ${answer.text.slice(0, 500)}`).toMatch(new RegExp(`^${status} `))
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const problem = Problem.parse(JSON.parse(answer.text))
  expect(problem).toMatchObject({ status, code, type: `/problems/${code}` })
  expect(answer.headers.get('x-request-id')).toBe(problem.requestId)
  if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
  if (status === 429 || status === 503) expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  return problem
}

/** The fields that a problem names. */
export const pointersOf = (problem: Problem) =>
  (problem.errors ?? []).map(({ pointer }) => pointer).toSorted()
