import type { ACCOUNT_MEASURES } from '../../../../src/domain/platforms.ts'

/** The counts of an account, as people read them. */
export const MEASURE_LABELS: Record<(typeof ACCOUNT_MEASURES)[number], string> = {
  followers: 'Followers',
  following: 'Following',
  posts: 'Posts',
}
