import { sql } from 'drizzle-orm'
import { index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { moment, workspaceRef } from './columns.ts'
import { workspaces } from './workspaces.ts'

/**
 * Who did what, when and from where. The application may add to it and read it, and nothing else: names are
 * written down as they were, because what they belonged to may be gone.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id),
    /** When it was written, not when its transaction began: entries stand in the order of what they tell. */
    at: moment('at').notNull().default(sql`clock_timestamp()`),
    actorKind: text('actor_kind', { enum: ['user', 'apiKey', 'system'] }).notNull(),
    /** The person's or the key's id. */
    actorId: text('actor_id'),
    /** The person's e-mail or the key's name, as it was. */
    actorName: text('actor_name'),
    /** `<what>.<done>`: see `services/audit/actions.ts`. */
    action: text('action').notNull(),
    targetKind: text('target_kind'),
    targetId: text('target_id'),
    targetName: text('target_name'),
    /** What changed; never a secret. */
    details: jsonb('details').notNull().default({}),
    ip: text('ip'),
    userAgent: text('user_agent'),
    requestId: text('request_id'),
  },
  (t) => [index('audit_log_workspace').on(t.workspaceId, t.at.desc().nullsFirst(), t.id.desc().nullsFirst())],
)
