import { z } from 'zod'
import { nobody } from './client.ts'

/** The API as it describes itself. */

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

const OperationObject = z.looseObject({
  summary: z.string().min(1),
  tags: z.array(z.string()).min(1),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().optional(),
      }),
    )
    .default([]),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), z.looseObject({ description: z.string().min(1) })),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
})

export const OpenApi = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.partialRecord(z.enum(METHODS), OperationObject)),
  components: z.looseObject({ securitySchemes: z.record(z.string(), z.unknown()) }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
})
export type OpenApi = z.infer<typeof OpenApi>

export interface Operation {
  /** In capitals. */
  method: string
  /** With its parameters' names, `/api/v1/posts/{id}`. */
  path: string
  /** Whether it says that nobody has to sign in. */
  isPublic: boolean
}

export function openApi(): Promise<OpenApi> {
  return nobody.read(OpenApi, '/openapi.json')
}

/** Every operation that the API describes. */
export async function operations(): Promise<Operation[]> {
  const document = await openApi()
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (operation === undefined) return []
      return [{ method: method.toUpperCase(), path, isPublic: operation.security?.length === 0 }]
    }),
  )
}
