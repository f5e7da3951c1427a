import { describe, expect, it } from 'vitest'
import {
  changeDirection,
  formatBytes,
  formatChange,
  formatCount,
  formatFigure,
  formatMs,
  formatRate,
  formatSigned,
  formatUsd,
  plural,
} from './numbers.ts'

describe('numbers', () => {
  it('groups counts and keeps them exact up to ten million', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567')
    expect(formatFigure(9_999_999)).toBe('9,999,999')
    expect(formatFigure(12_345_678)).toBe('12.3M')
  })

  it('signs gains and losses, and leaves zero unsigned', () => {
    expect(formatSigned(312)).toBe('+312')
    expect(formatSigned(-1_040)).toBe('−1,040')
    expect(formatSigned(0)).toBe('0')
  })

  it('writes a change as a signed percentage', () => {
    expect(formatChange(0.124)).toBe('+12.4%')
    expect(formatChange(-0.05)).toBe('−5%')
    expect(formatChange(0)).toBe('0%')
    expect(formatChange(12.345)).toBe('+1,235%')
  })

  it('calls a change flat exactly where it is written as 0%', () => {
    for (const ratio of [0, 0.0004, -0.0004, 0.000499]) {
      expect(changeDirection(ratio)).toBe('flat')
      expect(formatChange(ratio)).toBe('0%')
    }
    expect([changeDirection(0.0005), formatChange(0.0005)]).toEqual(['up', '+0.1%'])
    expect([changeDirection(-0.0006), formatChange(-0.0006)]).toEqual(['down', '−0.1%'])
  })

  it('writes dollars to the cent, and less than that as it is', () => {
    expect(formatUsd(0)).toBe('$0.00')
    expect(formatUsd(1_234.5)).toBe('$1,234.50')
    expect(formatUsd(0.005)).toBe('$0.005')
  })

  it('writes a rate with two decimals', () => {
    expect(formatRate(0.03456)).toBe('3.46%')
  })

  it('names one thing in the singular', () => {
    expect(plural(1, 'post')).toBe('1 post')
    expect(plural(0, 'post')).toBe('0 posts')
    expect(plural(1_200, 'reply', 'replies')).toBe('1,200 replies')
  })

  it('writes milliseconds, and what is less than one as that', () => {
    expect(formatMs(0)).toBe('< 1 ms')
    expect(formatMs(1_240)).toBe('1,240 ms')
  })

  it('picks a unit for sizes', () => {
    expect(formatBytes(999)).toBe('999 B')
    expect(formatBytes(4_230_000)).toBe('4.2 MB')
  })
})
