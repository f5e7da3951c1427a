import { validator } from 'hono/validator'
import * as z from 'zod'
import { isDay } from '../domain/periods.ts'
import { PLATFORMS } from '../domain/platforms.ts'
import { type FieldError, invalidRequest } from '../errors.ts'
import { once } from '../lib/once.ts'

/*
 * What addresses say, without what documents it: an isolate that begins needs no more (docs/decisions/0012).
 */

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

/**
 * One thing that an address says. What is as it should be is read without the validator, which takes longer to be
 * made ready than an answer from the cache; all else is left to the schema, which says what is wrong.
 */
export interface Parameter<T> {
  /** @returns `LEFT_OPEN` where it is for the schema to say */
  read(given: unknown): T | typeof LEFT_OPEN
  schema(): z.ZodType<T>
}
const LEFT_OPEN = Symbol('left open')

type Parameters = Record<string, Parameter<unknown>>
type ValuesOf<P> = { [K in keyof P]: P[K] extends Parameter<infer T> ? T : never }

/** The schema of what an address may say, and nothing else: for documents, and for what is wrong. */
export function schemaOf<const P extends Parameters>(parameters: P) {
  return z.strictObject(
    Object.fromEntries(Object.entries(parameters).map(([name, one]) => [name, one.schema()])),
  )
}

/** Checks a query as `createApi` does. @throws invalid_request, naming all that is wrong at once */
export function readsQuery<const P extends Parameters>(parameters: P) {
  const read = readerOf(parameters, '/query')
  return validator('query', (given) => read(given))
}

/** Checks the named parts of a path; see `readsQuery`. */
export function readsPath<const P extends Parameters>(parameters: P) {
  const read = readerOf(parameters, '/path')
  return validator('param', (given) => read(given))
}

function readerOf<const P extends Parameters>(parameters: P, prefix: string) {
  const schema = once(() => schemaOf(parameters))
  return (given: Record<string, unknown>): ValuesOf<P> => {
    const values = readAll(parameters, given)
    if (values !== null) return complete<P>(values)
    const result = schema().safeParse(given)
    if (!result.success) throw invalidRequest(toFieldErrors(result.error.issues as Issue[], prefix))
    return complete<P>(result.data)
  }
}

/** `null` where something is left open. */
function readAll(parameters: Parameters, given: Record<string, unknown>): Record<string, unknown> | null {
  if (Object.keys(given).some((name) => !Object.hasOwn(parameters, name))) return null
  const values: Record<string, unknown> = {}
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = parameter.read(given[name])
    if (value === LEFT_OPEN) return null
    values[name] = value
  }
  return values
}

/** Each value was read by the parameter of its name. */
function complete<P>(values: Record<string, unknown>): ValuesOf<P> {
  return values as ValuesOf<P>
}

/** One of some words. */
export function option<const T extends string>(options: readonly T[]): Parameter<T | undefined>
export function option<const T extends string>(options: readonly T[], fallback: NoInfer<T>): Parameter<T>
export function option<const T extends string>(
  options: readonly T[],
  fallback?: T,
): Parameter<T | undefined> {
  return {
    read: (given) => (given === undefined ? fallback : (options.find((one) => one === given) ?? LEFT_OPEN)),
    schema: () => (fallback === undefined ? z.enum(options).optional() : z.enum(options).default(fallback)),
  }
}

/** Any text, where there is one. */
export const text: Parameter<string | undefined> = {
  read: (given) => (given === undefined || typeof given === 'string' ? given : LEFT_OPEN),
  schema: () => z.string().optional(),
}

/** A text that has to be there. */
export function textOf(min: number, max: number): Parameter<string> {
  return {
    read: (given) =>
      typeof given === 'string' && given.length >= min && given.length <= max ? given : LEFT_OPEN,
    schema: () => z.string().min(min).max(max),
  }
}

/** Some words of those, separated by commas. */
export function options<const T extends string>(known: readonly T[]): Parameter<T[]> {
  return {
    read: (given) => readList(given, (part) => known.find((one) => one === part)),
    schema: () => commaList(z.enum(known)),
  }
}

const ID = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i

/** Ids, separated by commas. */
export const ids: Parameter<string[]> = {
  read: (given) => readList(given, (part) => (ID.test(part) ? part : undefined)),
  schema: () => commaList(z.uuid('is not an id')),
}

const MOST_LISTED = 200

function readList<T>(given: unknown, itemOf: (part: string) => T | undefined): T[] | typeof LEFT_OPEN {
  if (given === undefined) return []
  if (typeof given !== 'string') return LEFT_OPEN
  const items = partsOf(given).map(itemOf)
  const found = items.filter((item) => item !== undefined)
  return found.length === items.length && found.length <= MOST_LISTED ? found : LEFT_OPEN
}

const partsOf = (listed: string) =>
  listed
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** Values separated by commas; an empty text names nothing. */
export function commaList<T extends z.ZodType<string, string>>(item: T, max = MOST_LISTED) {
  return z
    .string()
    .optional()
    .transform((listed) => partsOf(listed ?? ''))
    .pipe(z.array(item).max(max))
}

function wholeNumber(min: number, max: number, fallback: number): Parameter<number> {
  return {
    read(given) {
      if (given === undefined) return fallback
      const value = typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN
      return value >= min && value <= max ? value : LEFT_OPEN
    },
    schema: () =>
      z
        .string()
        .regex(/^\d{1,16}$/, `must be a whole number from ${min} to ${max}`)
        .transform(Number)
        .refine((n) => n >= min && n <= max, `must be from ${min} to ${max}`)
        .optional()
        .transform((n) => n ?? fallback),
  }
}

export const limit = wholeNumber(1, 100, 25)
export const minGeneration = wholeNumber(0, Number.MAX_SAFE_INTEGER, 0)

export const platforms = options(PLATFORMS)

/** Which accounts count, as every route that sums or lists takes it. */
export const accountFilters = { accounts: ids, platforms, brands: ids }

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

/** Whether a text is a day that can be asked for. Far from today, calendars and databases part. */
export function isAskableDay(text: string): boolean {
  return isDay(text) && text >= '1970-01-01' && text <= '2999-12-31'
}
export const DAY_HINT = 'must be a day such as 2026-11-22, from 1970 to 2999'
