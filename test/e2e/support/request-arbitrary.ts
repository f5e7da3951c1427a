import fc from 'fast-check'
import type { DescribedOperation, Parameter } from './described-operations.ts'
import { hugeJson, jsonText, malformedJson, oddName, oddText } from './odd-values.ts'
import type { RawRequest } from './raw-http.ts'
import { anything, fitting, type Vocabulary } from './schema-arbitrary.ts'
import { pathOf } from './things.ts'

/** Requests to an operation for `fast-check`: as they should be, and wrong in one way or in several. */

/** What a body may be where the description does not say it, by the operation's name. */
export type RawBodies = Record<string, fc.Arbitrary<{ type: string; text: string }>>

export interface RequestParts {
  ids: Record<string, string>
  words: Vocabulary
  rawBodies: RawBodies
}

/** Of a hundred bodies, so many are huge. */
const HUGE_WEIGHT = 2

export function requestArbitrary(
  operation: DescribedOperation,
  parts: RequestParts,
): fc.Arbitrary<RawRequest> {
  return fc
    .record({
      path: pathArbitrary(operation, parts.ids),
      query: queryArbitrary(
        operation.parameters.filter((one) => one.in === 'query'),
        parts.words,
      ),
      headers: headersArbitrary(parts.ids),
      body: bodyArbitrary(operation, parts),
    })
    .map(({ path, query, headers, body }) => ({
      method: operation.method,
      path: query === '' ? path : `${path}?${query}`,
      headers:
        body === null ? headers : [...headers.filter(([name]) => name !== 'content-type'), ...body.headers],
      body: body?.bytes ?? null,
    }))
}

/** Percent-encoded as a form would, or half so, or wrongly: lone surrogates become what is no UTF-8. */
function escaped(text: string): string {
  return Array.from(text, (character) => {
    const unit = character.charCodeAt(0)
    if (character.length === 1 && unit >= 0xd800 && unit <= 0xdfff)
      return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)].map(hex).join('')
    return encodeURIComponent(character)
  }).join('')
}
const hex = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`

/** Sent as it stands, where it can be. */
const RAW_ESCAPES = [
  '%',
  '%zz',
  '%u0041',
  '%C0%80',
  '%FF%FE',
  '%ED%A0%80',
  '%00',
  '%2e%2e',
  '%2F..%2F',
  '+',
  '%25%30%30',
]
const rawEscape = fc.constantFrom(...RAW_ESCAPES)

function pathArbitrary(operation: DescribedOperation, ids: Record<string, string>): fc.Arbitrary<string> {
  const names = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name)
  if (names.length === 0) return fc.constant(operation.path)
  const one = fc.oneof(
    { arbitrary: fc.constant(null), weight: 5 },
    { arbitrary: fc.uuid(), weight: 1 },
    { arbitrary: oddText.map(escaped), weight: 2 },
    { arbitrary: rawEscape, weight: 1 },
  )
  return fc
    .record(Object.fromEntries(names.map((name) => [name, one])))
    .map((chosen) => pathOf(operation, ids, (id, name) => chosen[name] ?? escaped(id)))
}

/** Half of them as they should be, most others wrong in one place, and the rest wrong wherever they can be. */
function queryArbitrary(parameters: Parameter[], words: Vocabulary): fc.Arbitrary<string> {
  const right = parameters.map((one) => rightPairs(one, words))
  const wrong = parameters.map((one) => wrongPairs(one, words))
  const clean = fc.tuple(...right)
  const joined = (pairs: string[][]) => pairs.flat().join('&').replaceAll('#', '%23')
  if (parameters.length === 0)
    return fc.oneof(
      { arbitrary: fc.constant(''), weight: 9 },
      { arbitrary: strayPairs.map((stray) => joined([stray])), weight: 1 },
    )
  const oneWrong = fc
    .nat(parameters.length - 1)
    .chain((at) => fc.tuple(...right.map((one, i) => (i === at ? (wrong[at] ?? one) : one))))
  return fc.oneof(
    { arbitrary: clean.map(joined), weight: 10 },
    { arbitrary: oneWrong.map(joined), weight: 7 },
    { arbitrary: fc.tuple(clean, strayPairs).map(([pairs, stray]) => joined([...pairs, stray])), weight: 1 },
    { arbitrary: fc.tuple(...wrong, strayPairs).map(joined), weight: 2 },
  )
}

/** As it goes into a query. */
const pair = (name: string, value: unknown) =>
  `${escaped(name)}=${escaped(typeof value === 'string' ? value : jsonText(value))}`

function rightPairs({ name, schema, required }: Parameter, words: Vocabulary): fc.Arbitrary<string[]> {
  const given = fitting(schema, words, name).map((value) => [pair(name, value)])
  return required
    ? given
    : fc.oneof({ arbitrary: fc.constant<string[]>([]), weight: 3 }, { arbitrary: given, weight: 1 })
}

function wrongPairs({ name, schema }: Parameter, words: Vocabulary): fc.Arbitrary<string[]> {
  const right = fitting(schema, words, name).map((value) => pair(name, value))
  const any = anything(schema, words, name).map((value) => pair(name, value))
  return fc.oneof(
    { arbitrary: any.map((one) => [one]), weight: 6 },
    { arbitrary: rawEscape.map((value) => [`${escaped(name)}=${value}`]), weight: 2 },
    // The same parameter twice, and as other languages write lists.
    { arbitrary: fc.tuple(right, any).map(([one, other]) => [one, other]), weight: 2 },
    { arbitrary: right.map((one) => [one.replace('=', '[]='), `${escaped(name)}[a]=1`]), weight: 1 },
    { arbitrary: fc.constant<string[]>([]), weight: 1 },
  )
}

/** What is no parameter of anything. */
const strayPairs = fc.oneof(
  fc.tuple(oddName, oddText).map(([name, value]) => [pair(name, value)]),
  fc.constantFrom('&&&', '=', '%zz=1', '=1', 'a', '?', '#').map((stray) => [stray]),
)

const ODD_HEADER_VALUES = [
  '',
  ' ',
  '\t',
  '*',
  ',',
  '"',
  'W/"',
  '"x", W/"y"',
  'é\u00ff',
  'null',
  '-1',
  '1e9',
  '%00',
  'a b',
]

function headersArbitrary(ids: Record<string, string>): fc.Arbitrary<[string, string][]> {
  const odd = fc.oneof(
    fc.constantFrom(...ODD_HEADER_VALUES),
    fc.integer({ min: 100, max: 4_000 }).map((length) => 'h'.repeat(length)),
    fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((text) => text.replace(/[^\t\x20-\x7e]/g, '')),
  )
  const own = ids.workspaces ?? ''
  const header = (name: string, ...values: string[]) =>
    fc
      .oneof(...(values.length > 0 ? [fc.constantFrom(...values)] : []), odd)
      .map((value): [string, string] => [name, value])
  const one = fc.oneof(
    {
      arbitrary: header('idempotency-key', 'again', 'once more', 'k'.repeat(200), 'k'.repeat(201)),
      weight: 8,
    },
    { arbitrary: fc.uuid().map((value): [string, string] => ['idempotency-key', value]), weight: 4 },
    { arbitrary: header('if-none-match', '"a"', '*', 'W/"a", "b"'), weight: 4 },
    { arbitrary: header('x-workspace-id', own, own.toUpperCase(), crypto.randomUUID()), weight: 4 },
    { arbitrary: header('x-request-id', 'request-12345678', 'a'.repeat(101), '../..'), weight: 4 },
    { arbitrary: header('content-type', 'application/json', 'text/plain', 'multipart/form-data'), weight: 2 },
    { arbitrary: header('content-encoding', 'gzip', 'br', 'identity'), weight: 1 },
    { arbitrary: header('accept', 'text/html', 'application/xml', '*/*;q=0'), weight: 2 },
    { arbitrary: header('accept-language', 'xx-XX', 'de;q=2'), weight: 1 },
    { arbitrary: header('range', 'bytes=0-0', 'bytes=-1'), weight: 1 },
    {
      arbitrary: header('cookie', '__Host-tidemark.session_data=e30=', '__Host-tidemark.session_token=%'),
      weight: 2,
    },
    { arbitrary: header('origin', 'null', 'https://elsewhere.example'), weight: 2 },
    { arbitrary: header('x-http-method-override', 'DELETE'), weight: 1 },
    { arbitrary: header('if-modified-since', 'yesterday'), weight: 1 },
    { arbitrary: header('traceparent', '00-0-0-00'), weight: 1 },
  )
  return fc.oneof(
    { arbitrary: fc.constant<[string, string][]>([]), weight: 4 },
    { arbitrary: fc.array(one, { maxLength: 3 }), weight: 2 },
    { arbitrary: one.map((twice): [string, string][] => [twice, twice]), weight: 1 },
  )
}

interface Body {
  headers: [string, string][]
  bytes: Buffer
}

const bodyOf = (type: string | null, text: string | Buffer): Body => ({
  headers: type === null ? [] : [['content-type', type]],
  bytes: Buffer.from(text),
})
const jsonBody = (text: string) => bodyOf('application/json', text)
const NOT_UTF8 = Buffer.from([
  0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x22, 0x7d,
])
const JSON_TYPES = [
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'application/problem+json',
  'text/json',
]
const OTHER_TYPES = [
  'text/plain',
  'text/csv',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  '/',
  'é',
  '',
]

/** None at all, with and without saying of what kind it would be. */
const NO_BODIES = [bodyOf(null, ''), jsonBody(''), bodyOf('text/plain', '')]

function bodyArbitrary(operation: DescribedOperation, parts: RequestParts): fc.Arbitrary<Body | null> {
  const { name, method, body: schema } = operation
  const raw = parts.rawBodies[name]
  if (method === 'GET') return fc.constant(null)
  const right = fitting(schema ?? {}, parts.words).map((value) => jsonText(value))
  const fields = Object.keys(schema?.properties ?? {})
  const wrong: fc.WeightedArbitrary<Body | null>[] = [
    { arbitrary: malformedJson.map(jsonBody), weight: 8 },
    { arbitrary: fc.constant(bodyOf('application/json', NOT_UTF8)), weight: 1 },
    {
      arbitrary: fc
        .tuple(fc.constantFrom(...JSON_TYPES, ...OTHER_TYPES), right)
        .map(([type, text]) => bodyOf(type, text)),
      weight: 4,
    },
    { arbitrary: right.map((text) => bodyOf(null, text)), weight: 1 },
    { arbitrary: hugeJson(fields).map(jsonBody), weight: HUGE_WEIGHT },
    { arbitrary: fc.constantFrom(null, ...NO_BODIES), weight: 6 },
  ]
  if (raw !== undefined)
    return fc.oneof({ arbitrary: raw.map(({ type, text }) => bodyOf(type, text)), weight: 80 }, ...wrong)
  if (schema === null)
    return fc.oneof({ arbitrary: fc.constantFrom(null, bodyOf(null, '')), weight: 80 }, ...wrong)
  return fc.oneof(
    { arbitrary: right.map(jsonBody), weight: 25 },
    { arbitrary: anything(schema, parts.words).map((value) => jsonBody(jsonText(value))), weight: 55 },
    ...wrong,
  )
}
