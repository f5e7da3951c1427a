import type { ApiKeyRecord } from '../../db/queries/access.ts'
import { ROLES } from '../../domain/roles.ts'
import type { Person } from './identify.ts'

/*
 * Reads what isolates tell each other of callers. By hand: it is read before an isolate's first answer, which
 * would wait longer for schemas to be made than for the record (docs/decisions/0012).
 */

/** @returns `null` for what another version of the product wrote otherwise */
export function readSharedKey(shared: unknown): ApiKeyRecord | null {
  if (!isObject(shared)) return null
  const { id, workspaceId, workspaceName, timezone, name, scopes, expiresAt } = shared
  const { readsPerMinute, writesPerMinute, creatorOperates, creatorEmail } = shared
  if (!isText(id) || !isText(workspaceId) || !isText(workspaceName) || !isText(timezone)) return null
  if (!isText(name) || !isTexts(scopes) || !isNullOr(isText, expiresAt)) return null
  if (!isNullOr(isNumber, readsPerMinute) || !isNullOr(isNumber, writesPerMinute)) return null
  if (typeof creatorOperates !== 'boolean' || !isNullOr(isText, creatorEmail)) return null
  return {
    ...{ id, workspaceId, workspaceName, timezone, name, scopes, expiresAt },
    ...{ readsPerMinute, writesPerMinute, creatorOperates, creatorEmail },
  }
}

/** @returns `null` for what another version of the product wrote otherwise */
export function readSharedPerson(shared: unknown): Person | null {
  if (!isObject(shared)) return null
  const { operator, emailVerified, workspaces } = shared
  if (typeof operator !== 'boolean' || typeof emailVerified !== 'boolean') return null
  if (!Array.isArray(workspaces)) return null
  const memberships: Person['workspaces'] = []
  for (const workspace of workspaces) {
    const membership = readMembership(workspace)
    if (membership === null) return null
    memberships.push(membership)
  }
  return { operator, emailVerified, workspaces: memberships }
}

function readMembership(shared: unknown): Person['workspaces'][number] | null {
  if (!isObject(shared)) return null
  const { workspaceId, name, timezone, brands } = shared
  const role = ROLES.find((one) => one === shared.role)
  if (!isText(workspaceId) || !isText(name) || !isText(timezone) || role === undefined) return null
  return isNullOr(isTexts, brands) ? { workspaceId, name, timezone, role, brands } : null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

function isNullOr<T>(is: (value: unknown) => value is T, value: unknown): value is T | null {
  return value === null || is(value)
}
