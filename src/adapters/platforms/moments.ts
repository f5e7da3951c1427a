import { MalformedEntry } from './fields.ts'

/** Clocks are not all right; a post that lies further ahead was not written then. */
const MOST_AHEAD_MS = 86_400_000

/**
 * The moment of a post, RFC 3339 in UTC.
 * @param atMs milliseconds since 1970; fractions are cut
 * @param sinceMs when the platform began, before which nobody posted there
 * @throws MalformedEntry when there is none, or none that can be true
 */
export function postedAtOf(atMs: number | null, sinceMs: number): string {
  if (atMs === null || !(atMs >= sinceMs && atMs <= Date.now() + MOST_AHEAD_MS))
    throw new MalformedEntry('the post has no valid date')
  return new Date(Math.floor(atMs)).toISOString()
}
