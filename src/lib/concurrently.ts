/**
 * Acts on every item, on no more than `most` of them at once; they begin in their order.
 * @throws what `act` throws first; what has begun goes on all the same
 */
export async function concurrently<T>(
  most: number,
  items: readonly T[],
  act: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  const lane = async () => {
    for (const item of waiting) await act(item)
  }
  await Promise.all(Array.from({ length: most }, lane))
}
