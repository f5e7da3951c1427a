import { describe, expect, it } from 'vitest'
import {
  addDays,
  customPeriodProblem,
  daysBetween,
  isDate,
  namedRange,
  subtractMonths,
  todayIn,
} from './period.ts'

describe('periods', () => {
  it('counts both ends of a named period', () => {
    expect(namedRange('7d', '2026-11-22')).toEqual({ from: '2026-11-16', to: '2026-11-22' })
    expect(daysBetween('2026-11-16', '2026-11-22')).toBe(7)
    expect(namedRange('28d', '2026-03-01').from).toBe('2026-02-02')
  })

  it('lets twelve months begin the day after the same date a year before', () => {
    expect(namedRange('12m', '2026-11-22')).toEqual({ from: '2025-11-23', to: '2026-11-22' })
    expect(namedRange('12m', '2028-02-29').from).toBe('2027-03-01')
  })

  it('steps over the ends of months and years', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
    expect(addDays('2028-03-01', -1)).toBe('2028-02-29')
    expect(subtractMonths('2026-03-31', 1)).toBe('2026-02-28')
    expect(subtractMonths('2026-01-15', 1)).toBe('2025-12-15')
  })

  it('knows the date in a timezone', () => {
    const lateEvening = Date.parse('2026-11-22T23:30:00Z')
    expect(todayIn('UTC', lateEvening)).toBe('2026-11-22')
    expect(todayIn('Europe/Berlin', lateEvening)).toBe('2026-11-23')
    expect(todayIn('America/Los_Angeles', lateEvening)).toBe('2026-11-22')
  })

  it('rejects dates that do not exist', () => {
    expect(isDate('2026-02-28')).toBe(true)
    expect(isDate('2026-02-30')).toBe(false)
    expect(isDate('22.11.2026')).toBe(false)
    expect(isDate(null)).toBe(false)
  })

  it('says what is wrong with a custom period', () => {
    expect(customPeriodProblem('2026-11-01', '2026-11-22')).toBeNull()
    expect(customPeriodProblem('', '2026-11-22')).toMatch(/both dates/)
    expect(customPeriodProblem('2026-11-23', '2026-11-22')).toMatch(/after/)
    expect(customPeriodProblem('2024-01-01', '2026-11-22')).toMatch(/two years/)
  })
})
