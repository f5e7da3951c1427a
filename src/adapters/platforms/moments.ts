import { MalformedEntry } from './entries.ts'
import { knownMomentOf, refuseValue } from './refused-values.ts'

/** Clocks are not all right; a post that lies further ahead was not written then. */
const MOST_AHEAD_MS = 86_400_000

/**
 * Whether a post may have been written then; a moment at which nobody posted is refused with a note.
 * @param atMs milliseconds since 1970; `null`: not told
 * @param sinceMs when the platform began
 * @param sent what the platform sent for it
 */
export function isPlausible(atMs: number | null, sinceMs: number, sent: unknown): atMs is number {
  if (atMs !== null && atMs >= sinceMs && atMs <= Date.now() + MOST_AHEAD_MS) return true
  if (sent !== null && sent !== undefined) {
    const why =
      atMs === null || Number.isNaN(atMs)
        ? 'is no date'
        : atMs < sinceMs
          ? 'is before the platform began'
          : 'lies in the future'
    refuseValue(sent, why)
  }
  return false
}

/**
 * The moment of a post, RFC 3339 in UTC; of one that is known already, when it was known to be written, where
 * what is told now cannot be true.
 * @param post its id, what was sent for its date, and that in milliseconds since 1970, fractions of which are cut
 * @param sinceMs when the platform began, before which nobody posted there
 * @throws MalformedEntry when there is none, or none that can be true
 */
export function postedAtOf(
  post: { id: string; sent: unknown; atMs: number | null },
  sinceMs: number,
): string {
  const isTold = isPlausible(post.atMs, sinceMs, post.sent)
  const atMs = isTold ? post.atMs : knownMomentOf(post.id)
  if (!isTold && (post.sent ?? null) === null) refuseValue(undefined, 'the date of the post is missing')
  if (atMs === null) throw new MalformedEntry('the post has no valid date')
  return new Date(Math.floor(atMs)).toISOString()
}
