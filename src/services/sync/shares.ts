import type { Share } from '../usage/usage-ledger.ts'

/** For whom things are read: how many of them are each workspace's. */
export function sharesOf<T extends { workspaceId: string }>(
  items: readonly T[],
  count: (item: T) => number,
): Share[] {
  return [...Map.groupBy(items, ({ workspaceId }) => workspaceId)].map(([workspaceId, ours]) => ({
    workspaceId,
    items: ours.reduce((sum, item) => sum + count(item), 0),
  }))
}
