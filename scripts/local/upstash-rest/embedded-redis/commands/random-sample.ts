/** Takes `count` different items at random, or, when `count` is negative, that many with repetition. */
export function randomSample<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length === 0) return []
  if (count < 0) {
    return Array.from({ length: -count }, () => items[randomIndex(items.length)]).filter(
      (item): item is Item => item !== undefined,
    )
  }
  const pool = [...items]
  const sample: Item[] = []
  while (sample.length < count && pool.length > 0) sample.push(...pool.splice(randomIndex(pool.length), 1))
  return sample
}

const randomIndex = (length: number) => Math.floor(Math.random() * length)
