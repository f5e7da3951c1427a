import { expect, it } from 'vitest'
import type { LiveFrame } from './frames.ts'
import { createPosition, type FrameMeaning } from './position.ts'

function meanings(...frames: [type: string, seq: number, prevSeq: number][]): FrameMeaning[] {
  const position = createPosition()
  return frames.map(([type, seq, prevSeq]) => {
    if (type === 'reconnect') position.reconnected()
    const frame: LiveFrame = { seq, prevSeq, type, at: '', generation: 0, data: null }
    return position.take(type === 'reconnect' ? { ...frame, type: 'hello' } : frame)
  })
}

it('passes over a hello that comes again, even late', () => {
  expect(meanings(['hello', 5, 5], ['job.updated', 6, 5], ['hello', 5, 5], ['job.updated', 7, 6])).toEqual([
    'hello',
    'next',
    'duplicate',
    'next',
  ])
})

it('passes over a resync that it has moved on from', () => {
  expect(
    meanings(
      ['hello', 5, 5],
      ['resync', 8, 5],
      ['job.updated', 9, 8],
      ['resync', 8, 5],
      ['job.updated', 10, 9],
    ),
  ).toEqual(['hello', 'resync', 'next', 'duplicate', 'next'])
})

it('takes every resync of another connection as a new one', () => {
  expect(meanings(['hello', 5, 5], ['resync', 8, 8], ['reconnect', 8, 8], ['resync', 8, 8])).toEqual([
    'hello',
    'resync',
    'hello',
    'resync',
  ])
})

it('does not mind that the event before was one of another type', () => {
  expect(meanings(['hello', 5, 5], ['job.updated', 9, 2], ['job.updated', 12, 9])).toEqual([
    'hello',
    'next',
    'next',
  ])
})
