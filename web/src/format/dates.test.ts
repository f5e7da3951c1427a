import { describe, expect, it } from 'vitest'
import {
  dueWords,
  formatDateRange,
  formatDay,
  formatDuration,
  formatHour,
  formatInstant,
  formatMonth,
  formatRelative,
} from './dates.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')

describe('dates', () => {
  it('shows a calendar date as it stands, whatever the timezone of the machine', () => {
    expect(formatDay('2026-11-01')).toMatch(/\b1\b/)
    expect(formatDay('2026-11-01')).toContain('Nov')
  })

  it('shows an instant in the timezone it is asked for', () => {
    expect(formatHour('2026-11-22T23:00:00Z', 'Asia/Kolkata')).toBe('04:30')
    expect(formatInstant('2026-11-22T23:30:00Z', 'Europe/Berlin')).toContain('00:30')
    expect(formatInstant('2026-11-22T23:30:00Z', 'Europe/Berlin')).toContain('23')
  })

  it('writes the year of a range once', () => {
    expect(formatDateRange('2026-10-26', '2026-11-22').match(/2026/g)).toHaveLength(1)
    expect(formatDateRange('2025-12-01', '2026-01-05')).toMatch(/2025.*2026/)
  })

  it('adds the year to January alone', () => {
    expect(formatMonth('2026-01-01')).toBe('Jan 2026')
    expect(formatMonth('2026-02-01')).toBe('Feb')
  })

  it('says how long ago something was', () => {
    expect(formatRelative('2026-11-22T11:59:57Z', NOW)).toBe('just now')
    expect(formatRelative('2026-11-22T11:55:01Z', NOW)).toMatch(/^4 min/)
    expect(formatRelative('2026-11-21T11:00:00Z', NOW)).toBe('yesterday')
    expect(formatRelative('2026-11-22T12:00:30Z', NOW)).toBe('in a moment')
    expect(dueWords('2026-11-22T12:05:30Z', NOW)).toMatch(/^in 5 min/)
    expect(dueWords('2026-11-22T12:00:02Z', NOW)).toBe('in a moment')
    expect(dueWords('2026-11-22T09:00:00Z', NOW)).toBe('now')
  })

  it('rounds a wait up, so that nobody comes back too early', () => {
    expect(formatDuration(1)).toBe('1 second')
    expect(formatDuration(61)).toBe('2 minutes')
    expect(formatDuration(14_400)).toBe('4 hours')
  })
})
