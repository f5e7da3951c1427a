import * as z from 'zod'

/** Who or what, by the name it had then. */
const Actor = z.object({
  kind: z.enum(['user', 'apiKey', 'system']),
  id: z.string().nullable(),
  /** A person's e-mail, or a key's name. */
  name: z.string().nullable(),
})

export const AuditLogEntry = z.object({
  id: z.string(),
  at: z.string(),
  actor: Actor,
  action: z.string(),
  target: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable(),
  /** What changed; never a secret. */
  details: z.record(z.string(), z.unknown()),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  requestId: z.string().nullable(),
})
export type AuditLogEntry = z.infer<typeof AuditLogEntry>
