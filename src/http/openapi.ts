import { OpenAPIHono, z } from '@hono/zod-openapi'
import { isDay } from '../domain/periods.ts'
import { PLATFORMS } from '../domain/platforms.ts'
import { type FieldError, invalidRequest } from '../errors.ts'
import { isStorable, NOT_STORABLE } from '../lib/text.ts'
import type { HttpEnv } from './context.ts'

interface Issue {
  code: string
  path: PropertyKey[]
  message: string
  keys?: string[]
}

/** Every wrong field by its pointer: `/handle` in a body, `/query/limit` in a query. */
export function toFieldErrors(issues: readonly Issue[], prefix: string): FieldError[] {
  return issues.flatMap((issue) => {
    const at = (path: PropertyKey[]) =>
      `${prefix}${path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`
    if (issue.code === 'unrecognized_keys' && issue.keys !== undefined)
      return issue.keys.map((key) => ({
        pointer: at([...issue.path, key]),
        detail: 'There is no such field.',
      }))
    return [{ pointer: at(issue.path), detail: issue.message }]
  })
}

const PREFIX: Record<string, string> = { json: '', query: '/query', param: '/path', header: '/header' }

/** A router whose requests are checked against their schemas; all that is wrong is said at once. */
export function createApi(): OpenAPIHono<HttpEnv> {
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success)
        throw invalidRequest(toFieldErrors(result.error.issues as Issue[], PREFIX[result.target] ?? ''))
    },
  })
}

/** Values separated by commas; an empty text names nothing. */
export function commaList<T extends z.ZodType<string, string>>(item: T, max = 200) {
  return z
    .string()
    .optional()
    .transform((text) =>
      (text ?? '')
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item).max(max))
}

const digits = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be from ${min} to ${max}`)
    .optional()
    .transform((n) => n ?? fallback)

export const limitParameter = digits(1, 100, 25)
export const minGenerationParameter = digits(0, Number.MAX_SAFE_INTEGER, 0)

export const paging = { limit: limitParameter, cursor: z.string().max(2_000).optional() }

/** A text to look for. */
export const searchParameter = z.string().max(200).refine(isStorable, NOT_STORABLE).optional()

/** Whether a text is a day that can be asked for. Far from today, calendars and databases part. */
export function isAskableDay(text: string): boolean {
  return isDay(text) && text >= '1970-01-01' && text <= '2999-12-31'
}
export const DAY_HINT = 'must be a day such as 2026-11-22, from 1970 to 2999'

/** Which accounts count, as every route that sums or lists takes it. */
export const accountFilter = {
  accounts: commaList(z.uuid('is not an id')),
  platforms: commaList(z.enum(PLATFORMS)),
  brands: commaList(z.uuid('is not an id')),
}

/** The accounts that were asked for, in an order of ours: the same question is the same, however it is put. */
export function filterOf<A extends string, P extends string, B extends string>(query: {
  accounts: A[]
  platforms: P[]
  brands: B[]
}) {
  return {
    accounts: query.accounts.toSorted(),
    platforms: query.platforms.toSorted(),
    brands: query.brands.toSorted(),
  }
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
