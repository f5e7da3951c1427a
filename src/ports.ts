/** What the services need of the outside, as narrow interfaces. Adapters implement them; tests may, too. */
export * from './ports/clock-and-log.ts'
export * from './ports/credentials.ts'
export * from './ports/limits.ts'
export * from './ports/live.ts'
export * from './ports/people.ts'
export * from './ports/platforms.ts'
export * from './ports/queue.ts'
export * from './ports/storage.ts'
