import { DEFAULT_ACCOUNTS } from '../../scripts/local/platforms/personas.ts'
import type { AccountSpec } from '../../scripts/local/platforms/types.ts'
import type { Platform } from '../../src/domain/platforms.ts'

/** An account of the simulated platforms; what does not matter is that of a person who posts now and then. */
export function person(platform: Platform, key: string, given: Partial<AccountSpec> = {}): AccountSpec {
  const [base] = DEFAULT_ACCOUNTS
  if (base === undefined) throw new Error('The simulator knows nobody')
  const handle = platform === 'bluesky' ? `${key}.example.social` : key
  return { ...base, key, platform, handle, displayName: key, createdAt: '2024-01-01T00:00:00Z', ...given }
}

export const PEOPLE: readonly AccountSpec[] = [
  person('bluesky', 'ada', { postsPerDay: 8 }),
  person('bluesky', 'bo', { postsPerDay: 0.5 }),
  person('mastodon', 'cleo', { postsPerDay: 4 }),
  person('mastodon', 'dora', { postsPerDay: 0.5 }),
]
