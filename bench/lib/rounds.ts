/** How often, and for how long, variants are measured. */
export interface RoundsOptions {
  minRounds: number
  maxRounds: number
  /** No further round begins after this long. */
  budgetMs: number
}

/**
 * Measures variants in turn, round after round, each round beginning with another one: what slows the machine
 * down for a while slows all of them.
 * @returns each variant's measurements, in order
 */
export async function alternate<K extends string, T>(
  variants: Record<K, (round: number) => Promise<T>>,
  options: RoundsOptions,
): Promise<Record<K, T[]>> {
  const names = namesOf(variants)
  const results = forEach(names, (): T[] => [])
  const startedMs = performance.now()
  for (let round = 0; round < options.maxRounds; round += 1) {
    if (round >= options.minRounds && performance.now() - startedMs > options.budgetMs) break
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length]
      if (name !== undefined) results[name].push(await variants[name](round))
    }
  }
  return results
}

/** A value for each name. */
export function forEach<K extends string, T>(names: readonly K[], make: (name: K) => T): Record<K, T> {
  // `Object.fromEntries` forgets which names there were.
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, T>
}

/** The names of a record whose type lists all of them. */
function namesOf<K extends string>(record: Record<K, unknown>): K[] {
  return Object.keys(record) as K[]
}
