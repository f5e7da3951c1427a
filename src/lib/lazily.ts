/**
 * A value that is made at its first use, and kept. Whoever comes while it is being made does not wait for
 * another's promise (the runtime ties promises to requests): they make it too, and the first to be done is kept.
 */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let kept: { value: T } | null = null
  return async () => {
    if (kept !== null) return kept.value
    const value = await make()
    kept ??= { value }
    return kept.value
  }
}
