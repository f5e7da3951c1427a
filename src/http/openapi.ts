import { OpenAPIHono } from '@hono/zod-openapi'
import * as z from 'zod'
import { PLATFORMS } from '../domain/platforms.ts'
import { invalidRequest } from '../errors.ts'
import { isStorable, NOT_STORABLE } from '../lib/text.ts'
import type { HttpEnv } from './context.ts'
import { commaList, limit, minGeneration, toFieldErrors } from './parameters.ts'

export { commaList, DAY_HINT, filterOf, isAskableDay, toFieldErrors } from './parameters.ts'

const PREFIX: Record<string, string> = { json: '', query: '/query', param: '/path', header: '/header' }

/** A router whose requests are checked against their schemas; all that is wrong is said at once. */
export function createApi(): OpenAPIHono<HttpEnv> {
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success)
        throw invalidRequest(toFieldErrors(result.error.issues, PREFIX[result.target] ?? ''))
    },
  })
}

export const limitParameter = limit.schema()
export const minGenerationParameter = minGeneration.schema()

export const paging = { limit: limitParameter, cursor: z.string().max(2_000).optional() }

/** A text to look for. */
export const searchParameter = z.string().max(200).refine(isStorable, NOT_STORABLE).optional()

/** Which accounts count, as every route that sums or lists takes it. */
export const accountFilter = {
  accounts: commaList(z.uuid('is not an id')),
  platforms: commaList(z.enum(PLATFORMS)),
  brands: commaList(z.uuid('is not an id')),
}

export const idParameter = z.object({ id: z.string() })

const ProblemDocument = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    requestId: z.string(),
    existingId: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .openapi('Problem')

const MEANING: Record<number, string> = {
  400: 'Some fields are wrong; each is named.',
  401: 'Nobody is signed in, or the key is not valid.',
  403: 'The key or the role does not allow this.',
  404: 'There is no such thing in this workspace.',
  409: 'In conflict with what is there.',
  413: 'The body is too large.',
  415: 'This kind of body is not understood here.',
  422: 'Understood, and impossible.',
  429: 'Too many requests.',
  503: 'Not possible at the moment; see Retry-After.',
}

/** Problem documents a route may answer with; 401 and 429 every one may. */
export function problems(...statuses: number[]) {
  return Object.fromEntries(
    [...new Set([...statuses, 401, 429])].sort().map((status) => [
      status,
      {
        description: MEANING[status] ?? 'A problem.',
        content: { 'application/problem+json': { schema: ProblemDocument } },
      },
    ]),
  )
}

/** A JSON answer. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** A JSON body that has to be there. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } }
}

/** A list whose first page may be what was known when the database last answered. */
export function cachedPage<T extends z.ZodType>(item: T) {
  return page(item).extend({ stale: z.boolean() })
}

/** A list: `nextCursor` is `null` at its end. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}
