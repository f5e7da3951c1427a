/** Something that was compared, thing by thing, with what it should be. */
export interface Check {
  what: string
  compared: number
  /** Empty where all is as it should be. */
  differences: string[]
}

/** Names the fields in which two records differ. */
export function fieldsThatDiffer(
  stored: Record<string, unknown>,
  expected: Record<string, unknown>,
): string[] {
  return Object.keys(expected).flatMap((name) => {
    const [is, shouldBe] = [stored[name], expected[name]].map((value) => JSON.stringify(value) ?? 'nothing')
    return is === shouldBe ? [] : [`${name} is ${is}, not ${shouldBe}`]
  })
}

/** Compares two lists by a key: what is missing, what is there for no reason, and what differs. */
export function compareLists<T extends Record<string, unknown>>(
  what: string,
  { stored, expected, keyOf }: { stored: readonly T[]; expected: readonly T[]; keyOf: (item: T) => string },
): Check {
  const differences: string[] = []
  const left = new Map<string, T>()
  for (const item of stored) {
    if (left.has(keyOf(item))) differences.push(`${keyOf(item)} is there twice`)
    left.set(keyOf(item), item)
  }
  for (const item of expected) {
    const key = keyOf(item)
    const found = left.get(key)
    left.delete(key)
    if (found === undefined) differences.push(`${key} is missing`)
    else differences.push(...fieldsThatDiffer(found, item).map((difference) => `${key}: ${difference}`))
  }
  differences.push(...[...left.keys()].map((key) => `${key} should not be there`))
  return { what, compared: expected.length, differences }
}

/** One check out of several of the same kind. */
export function together(checks: readonly Check[]): Check[] {
  return [...Map.groupBy(checks, ({ what }) => what)].map(([what, some]) => ({
    what,
    compared: some.reduce((sum, { compared }) => sum + compared, 0),
    differences: some.flatMap(({ differences }) => differences),
  }))
}
