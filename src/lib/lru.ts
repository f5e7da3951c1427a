/**
 * Bounds an `LRUCache` by the number of its entries. Told `max` instead, it would make room for all of them at
 * once: for the caches of an isolate together, that takes longer than anything else before the first answer.
 */
export function atMost(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 }
}
