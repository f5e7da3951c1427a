import { describe, expect, it } from 'vitest'
import { type AskEvent, type DayEvent, traceDay } from './day-trace.ts'

const HOUR_MS = 3_600_000

const asksOf = (events: DayEvent[]) => events.filter((event): event is AskEvent => event.type === 'ask')

describe('the traced day', () => {
  const day = traceDay('one')
  const asks = asksOf(day)

  it('is the same whenever it is told, and another one of another seed', () => {
    expect(traceDay('one')).toEqual(day)
    expect(traceDay('two')).not.toEqual(day)
  })

  it('is told in order', () => {
    const moments = day.map(({ atMs }) => atMs)
    expect(moments).toEqual(moments.toSorted((a, b) => a - b))
  })

  it('has everybody look, most of all in the morning and after lunch', () => {
    expect(new Set(asks.map(({ person }) => person)).size).toBe(50)
    const opened = asks.filter(({ because }) => because === 'opened')
    const around = (hour: number) => opened.filter(({ atMs }) => Math.abs(atMs / HOUR_MS - hour) < 0.5).length
    expect(around(9)).toBeGreaterThan(2 * around(11))
    expect(around(13.25)).toBeGreaterThan(2 * around(16))
  })

  it('has nobody be told of a change that has not come', () => {
    const told = asks.filter(({ because, question }) => because === 'told' && question !== 'trending')
    const changesMs = day.filter(({ type }) => type === 'change').map(({ atMs }) => atMs)
    const delaysMs = told.map(({ atMs }) => atMs - (changesMs.findLast((changeMs) => changeMs <= atMs) ?? 0))
    expect(told.length).toBeGreaterThan(1_000)
    expect(Math.max(...delaysMs)).toBeLessThan(1_000)
  })
})
