import { z } from 'zod'
import { nobody } from './client.ts'
import type { Operation } from './openapi.ts'

/** Every operation with what its inputs look like, as the API's own description says it. */

export interface JsonSchema {
  type?: string | string[] | undefined
  enum?: unknown[] | undefined
  const?: unknown
  properties?: Record<string, JsonSchema> | undefined
  required?: string[] | undefined
  additionalProperties?: boolean | JsonSchema | undefined
  items?: JsonSchema | undefined
  anyOf?: JsonSchema[] | undefined
  oneOf?: JsonSchema[] | undefined
  allOf?: JsonSchema[] | undefined
  minLength?: number | undefined
  maxLength?: number | undefined
  minItems?: number | undefined
  maxItems?: number | undefined
  minimum?: number | undefined
  maximum?: number | undefined
  pattern?: string | undefined
  format?: string | undefined
  $ref?: string | undefined
}

const JsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    properties: z.record(z.string(), JsonSchema).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), JsonSchema]).optional(),
    items: JsonSchema.optional(),
    anyOf: z.array(JsonSchema).optional(),
    oneOf: z.array(JsonSchema).optional(),
    allOf: z.array(JsonSchema).optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    pattern: z.string().optional(),
    format: z.string().optional(),
    $ref: z.string().optional(),
  }),
)

const Described = z.object({
  security: z.array(z.unknown()).optional(),
  'x-permission': z.string().optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().default(false),
        schema: JsonSchema,
      }),
    )
    .default([]),
  requestBody: z
    .object({
      required: z.boolean().default(false),
      content: z.record(z.string(), z.object({ schema: JsonSchema.default({}) })),
    })
    .optional(),
})

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
const Document = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(METHODS), Described)),
  components: z.object({ schemas: z.record(z.string(), JsonSchema).default({}) }),
})

export type Parameter = z.infer<typeof Described>['parameters'][number]

export interface DescribedOperation extends Operation {
  /** `GET /api/v1/posts/{id}` */
  name: string
  /** What its caller must be allowed to do; `null` where the description does not say. */
  permission: string | null
  parameters: Parameter[]
  /** Of its JSON body; `null` where it has none, or one that is not JSON. */
  body: JsonSchema | null
  /** Media types of its body other than JSON. */
  otherTypes: string[]
}

export async function describedOperations(): Promise<DescribedOperation[]> {
  const { paths, components } = await nobody.read(Document, '/openapi.json')
  const whole = (schema: JsonSchema) => withoutReferences(schema, components.schemas)
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((key) => {
      const described = item[key]
      if (described === undefined) return []
      const method = key.toUpperCase()
      const { parameters, requestBody, security } = described
      const content = requestBody?.content ?? {}
      const json = content['application/json']
      return [
        {
          name: `${method} ${path}`,
          method,
          path,
          isPublic: security?.length === 0,
          permission: described['x-permission'] ?? null,
          parameters: parameters.map((one) => ({ ...one, schema: whole(one.schema) })),
          body: json === undefined ? null : whole(json.schema),
          otherTypes: Object.keys(content).filter((type) => type !== 'application/json'),
        },
      ]
    }),
  )
}

/** The schema with what it refers to in its place. Schemas of requests do not contain themselves. */
function withoutReferences(schema: JsonSchema, known: Record<string, JsonSchema>): JsonSchema {
  const { $ref } = schema
  if ($ref !== undefined) {
    const target = known[$ref.slice('#/components/schemas/'.length)]
    if (target === undefined) throw new Error(`The document refers to ${$ref}, which is not there`)
    return withoutReferences(target, known)
  }
  const each = (schemas: JsonSchema[]) => schemas.map((one) => withoutReferences(one, known))
  const { properties, additionalProperties: more, items, anyOf, oneOf, allOf } = schema
  return {
    ...schema,
    ...(items && { items: withoutReferences(items, known) }),
    ...(anyOf && { anyOf: each(anyOf) }),
    ...(oneOf && { oneOf: each(oneOf) }),
    ...(allOf && { allOf: each(allOf) }),
    ...(typeof more === 'object' && { additionalProperties: withoutReferences(more, known) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, withoutReferences(one, known)]),
      ),
    }),
  }
}
