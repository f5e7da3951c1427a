import type { Answer, Client } from './client.ts'
import type { DescribedOperation, JsonSchema } from './described-operations.ts'
import { pathOf, postsNamed } from './things.ts'

/** Requests that an operation understands, made from its description. */

/** Values of fields whose schemas say less than what they must be. */
const EXAMPLES: Record<string, unknown> = {
  handle: 'spokeandchain.example.social',
  timezone: 'Europe/Berlin',
  // Nobody gives more than they have.
  role: 'viewer',
  // What every caller who may make keys has, and may give.
  scopes: ['admin'],
}

/** Bodies that are not JSON, which the description tells of in words alone. */
const RAW_EXAMPLES: Record<string, { type: string; text: string }> = {
  'POST /api/v1/imports': { type: 'application/x-ndjson', text: postsNamed('example') },
}

/** Sends a request that is understood, and carried out where that is allowed. @param said instead of the smallest query and body that fit */
export function ask(
  client: Client,
  operation: DescribedOperation,
  ids: Record<string, string>,
  { query = {}, json }: { query?: Record<string, string>; json?: unknown } = {},
): Promise<Answer> {
  const { method, name, body, parameters } = operation
  const required = parameters
    .filter((one) => one.in === 'query' && one.required)
    .map((one) => [one.name, String(exampleOf(one.schema, `${name} ${one.name}`))])
  const asked = new URLSearchParams({ ...Object.fromEntries(required), ...query }).toString()
  const raw = RAW_EXAMPLES[name]
  return client.send(method, pathOf(operation, ids) + (asked === '' ? '' : `?${asked}`), {
    ...(body !== null && { json: json ?? exampleOf(body, name) }),
    ...(raw !== undefined && { body: raw.text, headers: { 'content-type': raw.type } }),
  })
}

/** Where the ids in bodies point, by their fields' names. */
const REFERENCES: Record<string, string> = {
  accounts: 'accounts',
  accountId: 'accounts',
  accountIds: 'accounts',
  brandId: 'brands',
  brandIds: 'brands',
  brands: 'brands',
  userId: 'members',
  userIds: 'members',
  workspaceId: 'workspaces',
}

/** A body in which every id is one of these; `null` where an operation's body has no ids. */
export function bodyReferringTo(
  { name, body }: DescribedOperation,
  ids: Record<string, string>,
): object | null {
  if (body === null) return null
  let references = 0
  const example = exampleOf(body, name, (field) => {
    const id = ids[REFERENCES[field] ?? '']
    if (id === undefined)
      throw new Error(
        `Nobody says what "${field}" of ${name} refers to: add it to REFERENCES (test/e2e/support/examples.ts)`,
      )
    references += 1
    return id
  })
  return references === 0 ? null : Object(example)
}

/**
 * A value that fits: what is required, or where nothing is, one field.
 * @param refer makes ids of fields with that name; fields that are ids are given then, required or not
 */
function exampleOf(schema: JsonSchema, where: string, refer?: (field: string) => string): unknown {
  const { properties = {}, required = [], items, minItems = 0, minimum, minLength = 1, format } = schema
  const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []
  const branch = (refer && branches.find((one) => isReference('', one))) ?? branches[0]
  const field = where.split(' ').at(-1) ?? ''
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  if (branch !== undefined) return exampleOf(branch, where, refer)
  const types = [schema.type].flat()
  if (refer !== undefined && isReference(field, schema) && types.includes('string')) return refer(field)
  if (types.includes('null') && !(refer && isReference(field, schema))) return null
  if (types.includes('object')) {
    const [first] = Object.keys(properties)
    const ids = Object.keys(properties).filter(
      (name) => refer !== undefined && isReference(name, properties[name] ?? {}),
    )
    const given =
      required.length + ids.length > 0 ? [...required, ...ids] : first === undefined ? [] : [first]
    return Object.fromEntries(
      given.map((name) => [
        name,
        EXAMPLES[name] ?? exampleOf(properties[name] ?? {}, `${where} ${name}`, refer),
      ]),
    )
  }
  if (types.includes('array')) {
    const length = refer === undefined ? minItems : Math.max(1, minItems)
    return Array.from({ length }, () => exampleOf(items ?? {}, where, refer))
  }
  if (types.includes('boolean')) return true
  if (types.includes('integer') || types.includes('number')) return minimum ?? 1
  if (format === 'uuid') return crypto.randomUUID()
  if (format === 'email') return 'nobody@example.com'
  if (format === undefined) return 'x'.repeat(Math.max(1, minLength))
  throw new Error(`There is no example for ${where}: name one in EXAMPLES (test/e2e/support/examples.ts)`)
}

/** Whether a field holds an id, or several. */
function isReference(name: string, { type, anyOf = [], oneOf = [], items, format }: JsonSchema): boolean {
  if ([type].flat().includes('string')) return format === 'uuid' || REFERENCES[name] !== undefined
  return [...anyOf, ...oneOf, ...(items ? [items] : [])].some((one) => isReference(name, one))
}
