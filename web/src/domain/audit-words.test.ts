import { describe, expect, it } from 'vitest'
import type { AuditLogEntry } from '../../../src/http/wire.ts'
import { AUDIT_ACTIONS } from '../../../src/services/audit/actions.ts'
import {
  AUDIT_ACTION_LABELS,
  type AuditReader,
  auditNotes,
  auditSentence,
  deviceWords,
} from './audit-words.ts'

const READER: AuditReader = {
  brandName: (id) => ({ b1: 'Harbour', b2: 'Lighthouse' })[id] ?? 'a brand that is gone',
  instant: (iso) => iso.slice(0, 10),
}

function entry(
  action: string,
  part: { name?: string | null; details?: Record<string, unknown> } = {},
): AuditLogEntry {
  return {
    id: 'e1',
    at: '2026-11-22T10:00:00Z',
    actor: { kind: 'user', id: 'u1', name: 'ada@example.com' },
    action,
    target: part.name === undefined ? null : { kind: 'thing', id: 't1', name: part.name },
    details: part.details ?? {},
    ip: null,
    userAgent: null,
    requestId: null,
  }
}

const sentence = (action: string, part?: Parameters<typeof entry>[1]) =>
  auditSentence(entry(action, part), READER)

describe('sentences of the audit log', () => {
  it('names every action of the server, and no other', () => {
    expect(Object.keys(AUDIT_ACTION_LABELS).toSorted()).toEqual([...AUDIT_ACTIONS].toSorted())
  })

  it('has words for every action, also where an entry tells nothing more', () => {
    for (const action of AUDIT_ACTIONS) {
      const words = sentence(action)
      expect(words, action).toMatch(/^[a-z]/)
      expect(words, action).not.toMatch(/undefined|null|\[object|[a-z]+\.[a-z]+/)
    }
  })

  it('tells who became what', () => {
    const details = { from: { role: 'viewer', brands: null }, to: { role: 'analyst', brands: null } }
    expect(sentence('member.changed', { name: 'bob@example.com', details })).toBe(
      'changed the role of bob@example.com from viewer to analyst',
    )
  })

  it('tells what somebody sees now', () => {
    const from = { role: 'viewer', brands: null }
    const limited = { from, to: { role: 'viewer', brands: ['b1', 'b2'] } }
    expect(sentence('member.changed', { name: 'bob', details: limited })).toBe(
      'let bob see Harbour and Lighthouse',
    )
    const both = { from: { role: 'admin', brands: null }, to: { role: 'viewer', brands: [] } }
    expect(sentence('member.changed', { name: 'bob', details: both })).toBe(
      'changed the role of bob from admin to viewer, who now sees no brand',
    )
    const freed = { from: { role: 'viewer', brands: ['b1'] }, to: { role: 'viewer', brands: null } }
    expect(sentence('member.changed', { name: 'bob', details: freed })).toBe('let bob see every brand')
  })

  it('tells what became of a workspace, a brand and an account', () => {
    const workspace = {
      from: { name: 'Old', timezone: 'UTC' },
      to: { name: 'New', timezone: 'America/New_York' },
    }
    expect(sentence('workspace.changed', { name: 'Old', details: workspace })).toBe(
      'renamed the workspace to “New” and moved the workspace from UTC to America/New York',
    )
    const brand = { from: { name: 'Harbor' }, to: { name: 'Harbour' } }
    expect(sentence('brand.changed', { name: 'Harbor', details: brand })).toBe(
      'renamed the brand “Harbor” to “Harbour”',
    )
    const moved = { from: { brandId: 'b1' }, to: { brandId: 'b2' } }
    expect(sentence('account.changed', { name: '@tide', details: moved })).toBe(
      'put @tide into the brand “Lighthouse”',
    )
    const freed = { from: { brandId: 'gone' }, to: { brandId: null } }
    expect(sentence('account.changed', { name: '@tide', details: freed })).toBe(
      'took @tide out of the brand “a brand that is gone”',
    )
    const paused = { from: { status: 'active' }, to: { status: 'paused' } }
    expect(sentence('account.changed', { name: '@tide', details: paused })).toBe('paused @tide')
  })

  it('shows an action that it does not know as it is', () => {
    expect(sentence('share.created', { name: 'Report' })).toBe('share.created Report')
  })

  it('says what went along', () => {
    const details = {
      revokedKeys: [
        { id: 'k1', name: 'Weekly' },
        { id: 'k2', name: 'Daily' },
      ],
      withdrawnInvitations: ['i1'],
    }
    expect(auditNotes(entry('member.removed', { name: 'bob', details }), READER)).toEqual([
      'Keys were revoked: “Weekly” and “Daily”.',
      'An open invitation was withdrawn.',
    ])
    const key = { scopes: ['read', 'write'], expiresAt: '2027-01-02T00:00:00Z' }
    expect(auditNotes(entry('api_key.created', { name: 'Weekly', details: key }), READER)).toEqual([
      'Scopes: read, write.',
      'Expires 2027-01-02.',
    ])
  })
})

describe('devices in words', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36 Edg/140',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1',
      'Safari on iOS',
    ],
    ['curl/8.9.1', 'curl'],
    ['tidemark-report/2', 'tidemark-report/2'],
  ])('%s is %s', (userAgent, words) => {
    expect(deviceWords(userAgent)).toBe(words)
  })
})
