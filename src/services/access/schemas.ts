import { z } from 'zod'
import { isStorable, NOT_STORABLE } from '../../lib/text.ts'

export const KEY_SCOPES = ['read', 'write', 'admin', 'operator'] as const

/** As people name things. */
const Name = z.string().trim().min(1).max(100).refine(isStorable, NOT_STORABLE)

export const CreateApiKey = z.strictObject({
  name: Name,
  scopes: z.array(z.enum(KEY_SCOPES)).min(1).max(4),
  expiresInDays: z.number().int().min(1).max(3_650).optional(),
})
export type CreateApiKey = z.infer<typeof CreateApiKey>

export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.enum(KEY_SCOPES)),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>

/** The key itself is shown this once. */
export const CreatedApiKey = ApiKey.extend({ key: z.string() })
export type CreatedApiKey = z.infer<typeof CreatedApiKey>

export const UpdateWorkspace = z.strictObject({
  name: Name.optional(),
  timezone: z.string().optional(),
})
export type UpdateWorkspace = z.infer<typeof UpdateWorkspace>
