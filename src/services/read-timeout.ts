/** Reads give up soon: a stale answer is better than a late one. */
export const READ_TIMEOUT_MS = 2_000
