import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeFrame,
  parseClientMessage,
  parseSinceParameter,
  parseTypesParameter,
  topicOf,
} from './protocol.ts'

describe('the types parameter', () => {
  it('is everything when absent or empty', () => {
    expect(parseTypesParameter(null)).toBeNull()
    expect(parseTypesParameter('')).toBeNull()
    expect(parseTypesParameter('  ')).toBeNull()
  })

  it('takes singular, plural and whole types, and leaves out what nobody knows', () => {
    expect(parseTypesParameter('jobs, Alert,report.ready,metrics,nonsense')).toEqual(
      new Set(['job', 'alert', 'report', 'metrics']),
    )
    expect(parseTypesParameter('nonsense')).toEqual(new Set())
  })
})

describe('the since parameter', () => {
  it('is a number, absent, or invalid', () => {
    expect(parseSinceParameter(null)).toBeNull()
    expect(parseSinceParameter('')).toBeNull()
    expect(parseSinceParameter('0')).toBe(0)
    expect(parseSinceParameter('42')).toBe(42)
    for (const wrong of ['-1', '1.5', '1e3', 'x', '9'.repeat(16)])
      expect(parseSinceParameter(wrong)).toBe('invalid')
  })
})

describe('a client message', () => {
  it('is understood when it is one of the three there are', () => {
    expect(parseClientMessage('ping', 100)).toEqual({ kind: 'ping' })
    expect(parseClientMessage('{"subscribe":["jobs"]}', 100)).toEqual({
      kind: 'subscribe',
      topics: new Set(['job']),
    })
    expect(parseClientMessage('{"ack":7}', 100)).toEqual({ kind: 'ack', seq: 7 })
  })

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ minLength: 101 })), (text) => {
        expect(['ping', 'subscribe', 'ack', 'unknown']).toContain(parseClientMessage(text, 100).kind)
      }),
    )
  })
})

describe('a frame', () => {
  it('is JSON whatever its type and data are', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.nat(), fc.nat(), (type, data, seq, prevSeq) => {
        const event = { seq, type, at: '2026-11-01T12:00:00.000Z', generation: 3, data: JSON.stringify(data) }
        expect(JSON.parse(encodeFrame(event, prevSeq))).toEqual({
          ...event,
          prevSeq,
          data: JSON.parse(event.data),
        })
      }),
    )
  })
})

it('finds the topic of a type with and without a dot', () => {
  expect(topicOf('metrics.updated')).toBe('metrics')
  expect(topicOf('resync')).toBe('resync')
})
