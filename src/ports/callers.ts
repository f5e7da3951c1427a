/**
 * What a change of access is told of: a key, by its hash; a person; a session. What is known of a caller rests
 * on one or more of these, and is worth nothing once one of them has changed.
 */
export type Fence = `key:${string}` | `user:${string}` | `session:${string}`

/** What is shared about a caller. `label` names the state of the fences that an answer may be stored under. */
export type FoundRecord =
  /** Revoked, or over: there is nothing to look up. */
  | { state: 'ended' }
  /** `old` ones stand as far as anybody was told, and serve where the database cannot be asked. */
  | { state: 'fresh' | 'old'; label: string; body: string }
  | { state: 'none'; label: string }

/** What the database said of callers, shared by all isolates. */
export interface CallerRecords {
  /** The record that rests on these fences, and the label for storing another; `null`: nobody answers. */
  find(fences: readonly Fence[]): Promise<FoundRecord | null>
  /**
   * Stores a record, unless one of its fences has moved since `label` was read. Never rejects.
   * @param record.askedAtMs when the database was asked, milliseconds since 1970
   */
  store(fences: readonly Fence[], record: { label: string; body: string; askedAtMs: number }): Promise<void>
  /**
   * Makes worthless what rests on these fences, lookups under way included. Never rejects.
   * @returns false where that could not be told in time; it is tried again in the background
   */
  forget(fences: readonly Fence[]): Promise<boolean>
  /** As `forget`, for good: nothing is stored or looked up under them any more. */
  end(fences: readonly Fence[]): Promise<boolean>
}
