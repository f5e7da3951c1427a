import { personById } from '../../db/queries/access.ts'
import { auditPerson, countSessions } from '../../db/queries/people.ts'
import type { AccessChange, RequestOrigin } from '../../ports.ts'
import type { AuditAction } from '../audit/actions.ts'
import type { PeopleParts } from './parts.ts'

const AUDITED: Record<AccessChange['kind'], AuditAction | null> = {
  'password.changed': 'password.changed',
  'password.reset': 'password.reset',
  'sessions.ended': 'sessions.ended',
  // Part of every day, and no change of what somebody may do.
  signed_out: null,
}

/**
 * Writes a change of a person's own access down, and closes their live connections where sessions ended that
 * may have opened them. What was changed stays so, also where this fails.
 */
export async function noteAccessChange(
  parts: PeopleParts,
  userId: string,
  change: AccessChange,
  origin: RequestOrigin,
): Promise<void> {
  const action = AUDITED[change.kind]
  const work: Promise<unknown>[] = []
  if (action !== null) {
    const { sessionsEnded } = change
    const entry = { userId, action, details: { sessionsEnded }, ...origin }
    work.push(parts.db.outside(auditPerson(entry)))
  }
  if (change.sessionsEnded > 0) work.push(closeConnections(parts, userId, change))
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected')
      parts.log.error('change of access not followed up', { kind: change.kind, error: result.reason })
  }
}

/** Connections do not say which session opened them: those of devices that stay signed in have to come again. */
async function closeConnections(parts: PeopleParts, userId: string, { kind }: AccessChange): Promise<void> {
  if (kind === 'signed_out') {
    const [left] = await parts.db.outside(countSessions(userId))
    if (left !== undefined && left.count > 0) return
  }
  const rows = await parts.db.outside(personById(userId, ''))
  const workspaceIds = rows.flatMap(({ workspaceId }) => (workspaceId === null ? [] : [workspaceId]))
  await Promise.all(workspaceIds.map((workspaceId) => parts.hub.revoke(workspaceId, `user:${userId}`)))
}
