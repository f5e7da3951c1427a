import { ApiError, type Call } from './platform-handler.ts'

/** LinkedIn's Rest.li, version 2: how parameters and lists stand in an address. */

const ESCAPED = /%[0-9A-F]{2}/iu

/** A parameter of the address, decoded; undefined where it is missing. */
export function parameterOf(call: Call, name: string): string | undefined {
  const raw = rawParameterOf(call, name)
  return raw === undefined ? undefined : decodeValue(raw)
}

/** The values of a parameter that is a list. @throws ApiError 400 where it is none, or a value is not encoded */
export function listOf(call: Call, name: string): string[] | undefined {
  const raw = rawParameterOf(call, name)
  if (raw === undefined) return undefined
  const inner = /^List\((.*)\)$/u.exec(raw)?.[1]
  if (inner === undefined) throw invalid(`Parameter ${name} is not a list`)
  return inner === '' ? [] : inner.split(',').map(decodeValue)
}

/** A value as it stands in an address, decoded. @throws ApiError 400 where a URN's colons are not encoded */
export function decodeValue(raw: string): string {
  if (/[:()]/u.test(raw)) throw invalid('Values have to be encoded')
  try {
    return ESCAPED.test(raw) ? decodeURIComponent(raw) : raw
  } catch {
    throw invalid('A value is not encoded well')
  }
}

/** A list that may hold at most so many ids, counted as a batch. @throws ApiError 400 where it holds more */
export function batchOf(call: Call, name: string, max: number): string[] | undefined {
  const ids = listOf(call, name)
  if (ids === undefined) return undefined
  call.ids = ids.length
  call.batchMax = max
  if (ids.length > max)
    throw new ApiError(
      400,
      'ILLEGAL_ARGUMENT',
      `${name} holds ${ids.length} ids and may hold ${max}`,
      'too_many_ids',
    )
  return ids
}

/** The part of a list that is asked for. @throws ApiError 400 where it is too large */
export function pageOf(call: Call, defaultCount: number, maxCount: number): { start: number; count: number } {
  const start = wholeNumber(call, 'start', 0)
  const count = wholeNumber(call, 'count', defaultCount)
  if (count < 1 || count > maxCount)
    throw new ApiError(
      400,
      'ILLEGAL_ARGUMENT',
      `count has to be between 1 and ${maxCount}`,
      'limit_out_of_range',
    )
  return { start, count }
}

function wholeNumber(call: Call, name: string, fallback: number): number {
  const text = parameterOf(call, name)
  if (text === undefined) return fallback
  if (!/^\d{1,9}$/u.test(text))
    throw new ApiError(400, 'ILLEGAL_ARGUMENT', `${name} is no number`, 'bad_cursor')
  return Number(text)
}

/** Elements with the paging that Rest.li puts beside them. */
export function pageView(call: Call, page: { start: number; count: number }, all: readonly object[]) {
  const next = page.start + page.count
  const links = next < all.length ? [{ type: 'application/json', rel: 'next', href: hrefOf(call, next) }] : []
  return { paging: { ...page, links }, elements: all.slice(page.start, next) }
}

function hrefOf({ url }: Call, start: number): string {
  const others = url.search.slice(1).split('&')
  const kept = others.filter((part) => part !== '' && !part.startsWith('start='))
  return `${url.pathname}?${[...kept, `start=${start}`].join('&')}`
}

function rawParameterOf({ url }: Call, name: string): string | undefined {
  const part = url.search.slice(1).split('&')
  return part.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1)
}

export function invalid(message: string): ApiError {
  return new ApiError(400, 'ILLEGAL_ARGUMENT', message, 'bad_parameter')
}
