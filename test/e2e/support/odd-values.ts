import fc from 'fast-check'

/** Values that have broken programs before. */

const LONG = 10_000

/** Written into JSON as they stand: numbers that JavaScript cannot say, or would say in another way. */
const RAW_NUMBERS = [
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '0.1e1',
  '1E+2',
  '99999999999999999999',
]
const RAW = /"@raw:([^"@]+)@"/g
const rawNumber = (text: string) => `@raw:${text}@`

/** JSON text, with raw numbers in their places. */
export function jsonText(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(RAW, '$1')
}

const ODD_TEXTS = [
  '',
  ' ',
  '\t\n',
  '\0',
  'a\0b',
  '\u0001\u001f\u007f\u0085',
  '\ud800',
  'a\udc00b',
  '\udbff\udfff',
  '\ufeffbom',
  '\u202egnp.exe\u202c',
  'שלום مرحبا',
  '\u2028\u2029',
  '\u200b\u200d\u00ad',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '𝒳𝒴𝒵',
  `e${'\u0301'.repeat(200)}`,
  'ﬃ İıßſKÅ',
  'ⅷ①２',
  'NaN',
  'Infinity',
  '-Infinity',
  'null',
  'undefined',
  'true',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e309',
  '0x10',
  '0b1',
  '１２',
  '999999999999999999999999',
  '9007199254740993',
  '[object Object]',
  '{}',
  '[]',
  '__proto__',
  'constructor',
  'toString',
  '.',
  '..',
  '../../etc/passwd',
  '..\\..',
  '/',
  '//evil.example',
  '%',
  '%00',
  '%zz',
  "' OR 1=1 --",
  '";--',
  '\\',
  '$1',
  '%s%n',
  '{{7*7}}',
  '<script>alert(1)</script>',
  'a\r\nX-Injected: 1',
  ',',
  ',,,',
  'a,b,,c',
  '#',
  '@',
  '*',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  '2026-02-30',
  '0000-00-00',
  '+275760-09-14',
  '2026-11-22T00:00:00Z',
  '12:60',
  'UTC+25',
]

const anyCodeUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
  .map((units) => String.fromCharCode(...units))

/** Text of any kind, mostly short. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...ODD_TEXTS), weight: 6 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 3 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 1 },
  { arbitrary: anyCodeUnits, weight: 2 },
  { arbitrary: fc.integer({ min: 1, max: LONG }).map((length) => 'x'.repeat(length)), weight: 1 },
)

/** Numbers at the edges, as JSON values. */
export const oddNumber: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...RAW_NUMBERS.map(rawNumber)),
  fc.constantFrom(0, -1, 1, 0.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, 1e21, 1e308, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

/** What may stand in JSON where something else was expected. */
export const oddJson: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom<unknown>(null, true, false, {}, [], [null], [[]], { '': {} }), weight: 3 },
  { arbitrary: oddText, weight: 3 },
  { arbitrary: oddNumber, weight: 3 },
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 1 },
)

/** Names of fields that nobody has asked for. */
export const oddName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('extra', '', '__proto__', 'constructor', 'id', 'workspaceId', 'a/b~c', '$ref', 'é', '\0'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

/** Bodies that are not JSON, or more of it than anybody expects. */
export const malformedJson: fc.Arbitrary<string> = fc.constantFrom(
  '',
  ' ',
  '{',
  '}',
  '{"a":',
  '{"a":1,}',
  "{'a':1}",
  '[1,]',
  'NaN',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":01}',
  'undefined',
  '{"a":"\u0001"}',
  '{"a":"\\x"}',
  '{"a":"\\ud800"}',
  '{} {}',
  '\ufeff{}',
  '/* c */ {}',
  'null',
  'true',
  '0',
  '""',
  '[]',
  '[{}]',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"name":"a","name":"b"}',
)

/** A text of a megabyte, an array of 100,000, and values 10,000 deep, in the place of a field. */
export function hugeJson(fields: string[]): fc.Arbitrary<string> {
  const [first = 'field'] = fields
  const field = JSON.stringify(first)
  const depth = 10_000
  return fc.constantFrom(
    `{${field}:"${'x'.repeat(1_000_000)}"}`,
    `{${field}:"${'\\ud83d\\ude00'.repeat(80_000)}"}`,
    `{${field}:[${'0,'.repeat(100_000)}0]}`,
    `{${field}:[${'{},'.repeat(100_000)}{}]}`,
    `[${'"",'.repeat(100_000)}""]`,
    `${'['.repeat(depth)}${']'.repeat(depth)}`,
    `{${field}:${'['.repeat(depth)}${']'.repeat(depth)}}`,
    `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
    `{${Array.from({ length: 10_000 }, (_, n) => `"field${n}":${n}`).join(',')}}`,
  )
}
