import type { AuditAction, AuditLogEntry } from '../../../src/http/wire.ts'

type Details = Readonly<Record<string, unknown>>

/** What words are made with: how the reader writes brands and instants. */
export interface AuditReader {
  brandName: (id: string) => string
  instant: (iso: string) => string
}

/** Actions as a filter names them, those that belong together beside each other. */
export const AUDIT_ACTION_LABELS: Readonly<Record<AuditAction, string>> = {
  'member.joined': 'Member joined',
  'member.changed': 'Member changed',
  'member.removed': 'Member removed',
  'member.left': 'Member left',
  'invitation.created': 'Invitation made',
  'invitation.withdrawn': 'Invitation withdrawn',
  'workspace.created': 'Workspace made',
  'workspace.changed': 'Workspace changed',
  'workspace.transferred': 'Workspace handed over',
  'api_key.created': 'API key made',
  'api_key.revoked': 'API key revoked',
  'brand.created': 'Brand made',
  'brand.changed': 'Brand renamed',
  'brand.removed': 'Brand removed',
  'account.connected': 'Account connected',
  'account.changed': 'Account changed',
  'account.removed': 'Account removed',
  'account.restored': 'Account restored',
  'credentials.stored': 'Credentials stored',
  'credentials.removed': 'Credentials removed',
  'import.started': 'Import started',
  'audit_log.exported': 'Audit log exported',
  'password.changed': 'Password changed',
  'password.reset': 'Password reset',
  'sessions.ended': 'Sessions ended',
}

export function isAuditAction(text: string): text is AuditAction {
  return Object.hasOwn(AUDIT_ACTION_LABELS, text)
}

function recordOf(value: unknown): Details {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** `a`, `a and b`, `a, b and c` */
function joined(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** The brands that somebody is limited to, in words; `null` where the entry does not say. */
function sightOf(brands: unknown, reader: AuditReader): string | null {
  if (brands === null) return 'every brand'
  if (!Array.isArray(brands)) return null
  const names = brands.flatMap((id) => (typeof id === 'string' ? [reader.brandName(id)] : []))
  return names.length === 0 ? 'no brand' : joined(names)
}

function withArticle(role: string): string {
  return `${/^[aeo]/.test(role) ? 'an' : 'a'} ${role}`
}

const quoted = (name: string) => `“${name}”`

function memberChanged(who: string, details: Details, reader: AuditReader): string {
  const [from, to] = [recordOf(details.from), recordOf(details.to)]
  const [oldRole, newRole] = [textOf(from.role), textOf(to.role)]
  const [oldSight, newSight] = [sightOf(from.brands, reader), sightOf(to.brands, reader)]
  const role =
    newRole !== null && oldRole !== newRole
      ? `changed the role of ${who}${oldRole === null ? '' : ` from ${oldRole}`} to ${newRole}`
      : null
  if (newSight === null || oldSight === newSight) return role ?? `changed what ${who} may do`
  return role === null ? `let ${who} see ${newSight}` : `${role}, who now sees ${newSight}`
}

function workspaceChanged(details: Details): string {
  const [from, to] = [recordOf(details.from), recordOf(details.to)]
  const [name, timezone] = [textOf(to.name), textOf(to.timezone)]
  const parts = [
    name === null ? '' : `renamed the workspace to ${quoted(name)}`,
    timezone === null
      ? ''
      : `moved the workspace${textOf(from.timezone) === null ? '' : ` from ${textOf(from.timezone)}`} to ${timezone}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'changed the workspace' : joined(parts).replaceAll('_', ' ')
}

function accountChanged(who: string, details: Details, reader: AuditReader): string {
  const [from, to] = [recordOf(details.from), recordOf(details.to)]
  const parts: string[] = []
  if (to.status === 'paused') parts.push(`paused ${who}`)
  else if (textOf(to.status) !== null && to.status !== from.status) parts.push(`resumed ${who}`)
  const brand = textOf(to.brandId)
  if (brand !== null && brand !== from.brandId)
    parts.push(`put ${who} into the brand ${quoted(reader.brandName(brand))}`)
  else if (to.brandId === null && textOf(from.brandId) !== null)
    parts.push(`took ${who} out of the brand ${quoted(reader.brandName(String(from.brandId)))}`)
  return parts.length === 0 ? `changed ${who}` : joined(parts)
}

/** What was done, as what follows the name of whoever did it: `revoked the API key “Weekly report”`. */
export function auditSentence(entry: AuditLogEntry, reader: AuditReader): string {
  const { action, details } = entry
  const name = textOf(entry.target?.name)
  const who = name ?? 'somebody'
  const account = name ?? 'an account'
  const named = (kind: string) => (name === null ? kind : `${kind} ${quoted(name)}`)
  const role = textOf(details.role)
  if (!isAuditAction(action)) return name === null ? action : `${action} ${name}`
  switch (action) {
    case 'member.joined':
      return role === null ? 'joined the workspace' : `joined the workspace as ${withArticle(role)}`
    case 'member.changed':
      return memberChanged(who, details, reader)
    case 'member.removed':
      return `removed ${who}${role === null ? '' : `, ${withArticle(role)},`} from the workspace`
    case 'member.left':
      return 'left the workspace'
    case 'invitation.created':
      return `invited ${name ?? 'whoever has the link'}${role === null ? '' : ` as ${withArticle(role)}`}`
    case 'invitation.withdrawn':
      return name === null ? 'withdrew an invitation by link' : `withdrew the invitation of ${name}`
    case 'workspace.created':
      return `made the ${named('workspace')}`
    case 'workspace.changed':
      return workspaceChanged(details)
    case 'workspace.transferred':
      return `handed the workspace over to ${name ?? textOf(recordOf(details.to).email) ?? 'another member'}`
    case 'api_key.created':
      return `made the ${named('API key')}`
    case 'api_key.revoked':
      return `revoked the ${named('API key')}`
    case 'brand.created':
      return `made the ${named('brand')}`
    case 'brand.changed': {
      const renamed = textOf(recordOf(details.to).name)
      return `renamed the ${named('brand')}${renamed === null ? '' : ` to ${quoted(renamed)}`}`
    }
    case 'brand.removed':
      return `removed the ${named('brand')}`
    case 'account.connected':
      return `connected ${account}`
    case 'account.changed':
      return accountChanged(account, details, reader)
    case 'account.removed':
      return `removed ${account}`
    case 'account.restored':
      return `restored ${account}`
    case 'credentials.stored':
      return `stored credentials for ${account}`
    case 'credentials.removed':
      return `removed the credentials of ${account}`
    case 'import.started':
      return name === null ? 'started an import' : `started the import of ${name}`
    case 'audit_log.exported':
      return 'exported the audit log'
    case 'password.changed':
      return 'changed their password'
    case 'password.reset':
      return 'reset their password'
    case 'sessions.ended':
      return 'signed out other devices'
  }
}

/** What went along, as sentences: keys that were revoked, what a key may do, until when. */
export function auditNotes({ details }: AuditLogEntry, reader: AuditReader): string[] {
  const keys = listOf(details.revokedKeys).flatMap((key) => textOf(recordOf(key).name) ?? [])
  const withdrawn = listOf(details.withdrawnInvitations).length
  const scopes = listOf(details.scopes).flatMap((scope) => textOf(scope) ?? [])
  const expiresAt = textOf(details.expiresAt)
  const notes: string[] = []
  if (scopes.length > 0) notes.push(`Scopes: ${scopes.join(', ')}.`)
  if (expiresAt !== null) notes.push(`Expires ${reader.instant(expiresAt)}.`)
  if (keys.length > 0)
    notes.push(`${keys.length === 1 ? 'A key was' : 'Keys were'} revoked: ${joined(keys.map(quoted))}.`)
  if (withdrawn > 0)
    notes.push(
      withdrawn === 1 ? 'An open invitation was withdrawn.' : `${withdrawn} open invitations were withdrawn.`,
    )
  return notes
}

const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
]
const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
]

/** A device in words, as far as its user agent tells: `Firefox on Linux`; the agent itself where it does not. */
export function deviceWords(userAgent: string): string {
  const found = (list: typeof BROWSERS) => list.find(([pattern]) => pattern.test(userAgent))?.[1]
  const [browser, system] = [found(BROWSERS), found(SYSTEMS)]
  if (browser !== undefined && system !== undefined) return `${browser} on ${system}`
  return browser ?? userAgent.slice(0, 80)
}
