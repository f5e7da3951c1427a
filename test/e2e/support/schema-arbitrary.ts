import fc from 'fast-check'
import type { JsonSchema } from './described-operations.ts'
import { oddJson, oddName, oddNumber, oddText } from './odd-values.ts'

/** Values of a JSON schema for `fast-check`: those that fit, those at its edges, and those that do not fit. */

/** Texts that mean something under a name, such as ids that exist; what a schema cannot say. */
export type Vocabulary = Record<string, fc.Arbitrary<unknown>>

/** Texts and lists are not made longer than this to be at a schema's edge. */
const MAX_EDGE_LENGTH = 12_000
const MAX_EDGE_ITEMS = 300
const MAX_ITEMS = 4

/** Values that fit, as far as the schema says. @param name of the field or parameter, looked up in `words` */
export function fitting(schema: JsonSchema, words: Vocabulary, name = ''): fc.Arbitrary<unknown> {
  const known = words[name]
  const { anyOf, oneOf, allOf } = schema
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return known ?? fc.constantFrom(...schema.enum)
  const branches = anyOf ?? oneOf
  if (branches !== undefined) return fc.oneof(...branches.map((branch) => fitting(branch, words, name)))
  if (allOf !== undefined)
    return fc
      .tuple(...allOf.map((part) => fitting(part, words, name)))
      .map((parts) => Object.assign({}, ...parts))
  return fc.oneof(...typesOf(schema).map((type) => fittingType(type, schema, words, name, known)))
}

function fittingType(
  type: string,
  schema: JsonSchema,
  words: Vocabulary,
  name: string,
  known: fc.Arbitrary<unknown> | undefined,
): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 })
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true })
    case 'array': {
      const minLength = schema.minItems ?? 0
      const maxLength = Math.max(minLength, Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS))
      return fc.array(fitting(schema.items ?? {}, words, name), { minLength, maxLength })
    }
    case 'object':
      return fittingObject(schema, words)
    default:
      return known ?? fittingText(schema)
  }
}

function fittingObject(schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  const fields = Object.entries(schema.properties ?? {})
  return fc.record(Object.fromEntries(fields.map(([field, one]) => [field, fitting(one, words, field)])), {
    requiredKeys: schema.required ?? [],
    noNullPrototype: true,
  })
}

function fittingText({ format, pattern, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid()
  if (format === 'email') return fc.emailAddress()
  if (format === 'uri') return fc.webUrl()
  if (format === 'date') return someDay
  if (format === 'date-time') return someMoment
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
  return fc.string({
    unit: fc.oneof(
      fc.constantFrom('a', 'B', '7', '-', ' '),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength,
    maxLength: Math.max(minLength, Math.min(maxLength, 40)),
  })
}

const someMoment = fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
export const someDay: fc.Arbitrary<string> = fc
  .date({ noInvalidDate: true, min: new Date('1969-12-30'), max: new Date('2030-01-02') })
  .map((date) => date.toISOString().slice(0, 10))

/** Values that fit, values just at and beyond what the schema allows, and values that do not fit at all. */
export function anything(schema: JsonSchema, words: Vocabulary, name = ''): fc.Arbitrary<unknown> {
  const edges = typesOf(schema).flatMap((type) => edgesOf(type, schema, words, name))
  return fc.oneof(
    { arbitrary: fitting(schema, words, name), weight: 5 },
    ...(edges.length > 0 ? [{ arbitrary: fc.oneof(...edges), weight: 2 }] : []),
    { arbitrary: oddJson, weight: 2 },
  )
}

function edgesOf(type: string, schema: JsonSchema, words: Vocabulary, name: string): fc.Arbitrary<unknown>[] {
  switch (type) {
    case 'string':
      return [oddText, ...textEdges(schema)]
    case 'integer':
    case 'number': {
      const edges = [schema.minimum, schema.maximum].filter((edge) => edge !== undefined)
      return [
        oddNumber,
        ...edges.map((edge) => fc.constantFrom(edge - 1, edge, edge + 1, edge + 0.5, String(edge))),
      ]
    }
    case 'array': {
      const edges = [schema.minItems, schema.maxItems].filter((edge) => edge !== undefined)
      const lengths = edges.flatMap((edge) => [edge - 1, edge, edge + 1])
      const item = anything(schema.items ?? {}, words, name)
      return [
        fc.array(item, { maxLength: MAX_ITEMS }),
        ...lengths
          .filter((length) => length >= 0 && length <= MAX_EDGE_ITEMS)
          // One value many times: duplicates, too, are an edge.
          .map((length) => fitting(schema.items ?? {}, words, name).map((one) => Array(length).fill(one))),
      ]
    }
    case 'object':
      return [brokenObject(schema, words)]
    default:
      return []
  }
}

function textEdges({ minLength, maxLength }: JsonSchema): fc.Arbitrary<string>[] {
  const lengths = [minLength, maxLength]
    .filter((edge) => edge !== undefined)
    .flatMap((edge) => [edge - 1, edge, edge + 1])
    .filter((length) => length >= 0 && length <= MAX_EDGE_LENGTH)
  if (lengths.length === 0) return []
  return [
    fc
      .tuple(fc.constantFrom(...lengths), fc.constantFrom('x', 'é', 'e\u0301', '𝒳', '👩‍👩‍👧', '\u202e', ' '))
      .map(([length, unit]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)),
  ]
}

/** An object in which one field has any value at all, is missing, or was never asked for. */
function brokenObject(schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  const properties = schema.properties ?? {}
  const fields = Object.keys(properties)
  const whole = fittingObject(schema, words).map((value) => ({ ...Object(value) }) as Record<string, unknown>)
  const extra = fc
    .tuple(whole, oddName, oddJson)
    .map(([value, field, odd]) => Object.fromEntries([...Object.entries(value), [field, odd]]))
  if (fields.length === 0) return extra
  const field = fc.constantFrom(...fields)
  const wrong = field.chain((name) =>
    fc
      .tuple(whole, anything(properties[name] ?? {}, words, name))
      .map(([value, one]): unknown => ({ ...value, [name]: one })),
  )
  const missing = fc.tuple(whole, field).map(([value, name]): unknown => {
    const { [name]: _, ...others } = value
    return others
  })
  return fc.oneof(
    { arbitrary: wrong, weight: 4 },
    { arbitrary: missing, weight: 1 },
    { arbitrary: extra, weight: 1 },
  )
}

/** What a schema says that a value is; without a word of it, anything. */
function typesOf({ type, properties, items }: JsonSchema): string[] {
  if (type !== undefined) return Array.isArray(type) ? type : [type]
  if (properties !== undefined) return ['object']
  if (items !== undefined) return ['array']
  return ['string', 'integer', 'boolean', 'null']
}
