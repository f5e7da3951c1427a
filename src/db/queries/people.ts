import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'

/** Whoever asked for a change of their own access, and from where. */
export interface PersonalEntry {
  userId: string
  action: string
  details: Record<string, unknown>
  ip: string | null
  userAgent: string | null
  requestId: string
}

/** Writes down, in every workspace that a person can enter, what they did to their own access. */
export function auditPerson(entry: PersonalEntry): Statement<unknown> {
  const { userId, action, details, ip, userAgent, requestId } = entry
  return statement(sql`
    SELECT app_audit_person(${userId}, ${action}, ${JSON.stringify(details)}::jsonb, ${ip}, ${userAgent},
      ${requestId})`)
}

/** How many sessions of a person stand. */
export function countSessions(userId: string): Statement<{ count: number }> {
  return statement(sql`
    SELECT count(*) AS count FROM auth_sessions WHERE user_id = ${userId} AND expires_at > now()`)
}
