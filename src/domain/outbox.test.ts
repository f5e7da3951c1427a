import { expect, it } from 'vitest'
import { outboxLevel } from './outbox.ts'

it.each([
  [0, null, 'ok'],
  [1, 59.9, 'ok'],
  [499, 1, 'ok'],
  [1, 60, 'warning'],
  [500, 1, 'warning'],
  [4_999, 299.9, 'warning'],
  [1, 300, 'critical'],
  [5_000, 1, 'critical'],
  [5_000, 60, 'critical'],
] as const)(
  'with %s events, the oldest of them %s seconds old, an outbox is %s',
  (undelivered, oldestSeconds, level) => {
    expect(outboxLevel({ undelivered, oldestSeconds })).toBe(level)
  },
)
