import { DatabaseError } from '../../db/client.ts'

/**
 * Stores items together or, where the database refuses them, one by one, so that what one account says holds
 * up none of the others.
 * @returns those that it refuses by themselves
 */
export async function storeApart<T>(items: T[], store: (some: T[]) => Promise<void>): Promise<T[]> {
  if (items.length === 0) return []
  try {
    await store(items)
    return []
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    if (items.length === 1) return items
  }
  const refused: T[] = []
  for (const item of items) refused.push(...(await storeApart([item], store)))
  return refused
}

/** Does something for each, one after the other, also after one has failed; throws the first failure then. */
export async function eachApart<T>(items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  for (const item of items) await act(item).catch((error: unknown) => void failures.push(error))
  if (failures.length > 0) throw failures[0]
}
