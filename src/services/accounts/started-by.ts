import * as z from 'zod'
import type { Actor } from '../context.ts'

/** Who began a batch, as its job keeps it: by name, and with the brands that they were limited to. */
export const StartedBy = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('user'),
    userId: z.string(),
    email: z.string(),
    brands: z.array(z.string()).nullable(),
  }),
  z.object({ kind: z.literal('apiKey'), keyId: z.string(), name: z.string() }),
  z.object({ kind: z.literal('system') }),
])
export type StartedBy = z.infer<typeof StartedBy>

export function startedBy(actor: Actor): StartedBy {
  switch (actor.kind) {
    case 'user':
      return {
        kind: 'user',
        userId: actor.userId,
        email: actor.email,
        brands: actor.brands === null ? null : [...actor.brands],
      }
    case 'apiKey':
      return { kind: 'apiKey', keyId: actor.keyId, name: actor.name }
    case 'system':
      return actor
  }
}

/** An actor to write down and to see as, without the right to anything: what is done was allowed when it began. */
export function nameOnly(by: StartedBy): Actor {
  switch (by.kind) {
    case 'user':
      return { ...by, role: 'viewer', operator: false }
    case 'apiKey':
      return { ...by, scopes: [] }
    case 'system':
      return by
  }
}
