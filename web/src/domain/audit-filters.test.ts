import { describe, expect, it } from 'vitest'
import { buildQuery } from '../api/query.ts'
import {
  auditQuery,
  isAuditFiltered,
  isBackwards,
  NO_AUDIT_FILTERS,
  parseAuditFilters,
} from './audit-filters.ts'

const parse = (text: string) => parseAuditFilters(new URLSearchParams(text))

describe('filters of the audit log', () => {
  it('come back out of the address that they made', () => {
    const filters = {
      ...NO_AUDIT_FILTERS,
      actors: ['u1', 'k1'],
      actions: ['member.left' as const],
      from: '2026-11-01',
    }
    expect(parse(buildQuery(auditQuery(filters)))).toEqual(filters)
    expect(buildQuery(auditQuery(NO_AUDIT_FILTERS))).toBe('')
  })

  it('leave out what nobody could have chosen', () => {
    expect(parse('actions=member.left,nothing&from=yesterday&to=2026-13-01')).toEqual({
      ...NO_AUDIT_FILTERS,
      actions: ['member.left'],
    })
  })

  it('know whether anything is left out, and days in the wrong order', () => {
    expect(isAuditFiltered(NO_AUDIT_FILTERS)).toBe(false)
    expect(isAuditFiltered({ ...NO_AUDIT_FILTERS, to: '2026-11-01' })).toBe(true)
    expect(isBackwards({ from: '2026-11-02', to: '2026-11-01' })).toBe(true)
    expect(isBackwards({ from: '2026-11-01', to: '2026-11-01' })).toBe(false)
    expect(isBackwards({ from: '2026-11-01', to: '' })).toBe(false)
  })
})
