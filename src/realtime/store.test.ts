import { expect, it } from 'vitest'
import { memoryDatabase } from '../../test/live/harness.ts'
import { openHubStore } from './store.ts'

it('keeps what it was told when it is opened again', () => {
  const database = memoryDatabase()
  const store = openHubStore(database)
  store.setWorkspaceId('w')
  const event = { seq: 1, topic: 'job', type: 'job.updated', at: 'now', generation: 2, data: '{}' }
  store.append(
    [event],
    { seq: 1, generation: 2, topics: new Map([['job', { lastSeq: 1, count: 1 }]]) },
    0,
    'p',
  )
  const again = openHubStore(database)
  expect(again.workspaceId()).toBe('w')
  expect(again.load()).toEqual({
    seq: 1,
    generation: 2,
    topics: new Map([['job', { lastSeq: 1, count: 1 }]]),
  })
  expect(again.eventsAfter(0, null)).toEqual([event])
  expect(again.loadPending()).toBe('p')
})

it('keeps nothing of an append that failed half way', () => {
  const store = openHubStore(memoryDatabase())
  const event = { seq: 1, topic: 'job', type: 'job.updated', at: 'now', generation: 2, data: '{}' }
  expect(() => store.append([event, event], { seq: 2, generation: 2, topics: new Map() }, 0, 'p')).toThrow()
  expect(store.load().seq).toBe(0)
  expect(store.eventsAfter(0, null)).toEqual([])
  expect(store.loadPending()).toBeNull()
})

it('tells the last events up to a length', () => {
  const store = openHubStore(memoryDatabase())
  expect(store.latest(10)).toEqual([])
  const events = [100, 200, 300].map((length, i) => ({
    ...{ seq: i + 1, topic: 'job', type: 'job.updated', at: 'now', generation: 2 },
    data: 'x'.repeat(length),
  }))
  store.append(events, { seq: 3, generation: 2, topics: new Map() }, 0, null)
  const lengths = [600, 599, 500, 300, 299]
  expect(lengths.map((length) => store.latest(length).map(({ seq }) => seq))).toEqual([
    [1, 2, 3],
    [2, 3],
    [2, 3],
    [3],
    [],
  ])
})

it('removes expired tickets when it takes new ones, now and then, and lets nobody in with one meanwhile', () => {
  const database = memoryDatabase()
  const store = openHubStore(database)
  const put = (hash: string, atMs: number) =>
    store.putTicket({ hash, userId: 'u', limited: false, expiresAtMs: atMs + 30_000 }, atMs)
  const kept = () => database.rows('SELECT hash FROM tickets ORDER BY hash').map((row) => Object(row).hash)
  put('a', 0)
  put('b', 9_000)
  put('c', 29_000)
  put('d', 38_000)
  expect(kept()).toEqual(['a', 'b', 'c', 'd'])
  expect(store.takeTicket('a', 38_000)).toBeNull()
  put('e', 39_000)
  expect(kept()).toEqual(['c', 'd', 'e'])
})

it('works on storage that a later version left readable, and refuses what it did not', () => {
  const database = memoryDatabase()
  openHubStore(database)
  database.rows("UPDATE meta SET value = 9 WHERE key = 'schema_version'")
  expect(openHubStore(database).load().seq).toBe(0)
  database.rows("UPDATE meta SET value = 9 WHERE key = 'readable_from_version'")
  expect(() => openHubStore(database)).toThrow('version 9')
})

it('takes over the storage of the version that did not tell limited members apart', () => {
  const database = memoryDatabase()
  openHubStore(database)
  // As version 1 left it.
  database.rows('ALTER TABLE tickets DROP COLUMN limited')
  database.rows('DROP TABLE shut_out')
  database.rows('DROP TABLE shards')
  database.rows("UPDATE meta SET value = 1 WHERE key = 'schema_version'")
  database.rows("INSERT INTO tickets (hash, user_id, expires_at_ms) VALUES ('old', 'user:ada', 10)")
  const store = openHubStore(database)
  expect(store.takeTicket('old', 0)).toEqual({ userId: 'user:ada', limited: true })
  store.putTicket({ hash: 'new', userId: 'user:ada', limited: false, expiresAtMs: 10 }, 0)
  // Version 1 still works on what this one has made.
  database.rows("INSERT INTO tickets (hash, user_id, expires_at_ms) VALUES ('older', 'user:ada', 10)")
  expect(openHubStore(database).takeTicket('new', 0)).toEqual({ userId: 'user:ada', limited: false })
  expect(store.takeTicket('older', 0)).toEqual({ userId: 'user:ada', limited: true })
})
