import { NeonDbError } from '@neondatabase/serverless'

/** Classes of SQLSTATE that speak of the database, not of the statement: connections, room, and being stopped. */
const OUTAGE_CLASSES = ['08', '53', '57']

/**
 * What the database's driver said when it got no answer, or one that it cannot answer; the sign-in library wraps
 * it in errors of its own. `null` for any other error.
 */
export function outageOf(error: unknown): NeonDbError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof NeonDbError)) continue
    return !cause.code || OUTAGE_CLASSES.includes(cause.code.slice(0, 2)) ? cause : null
  }
  return null
}
