/**
 * Randomness that is a pure function of a name: the same words give the same stream in every process,
 * so nothing about the simulated world needs to be stored.
 */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform whole number in [min, max], both included. */
  int(min: number, max: number): number
  chance(probability: number): boolean
  /** @throws RangeError when the list is empty. */
  pick<T>(items: readonly T[]): T
  /** @throws RangeError when the list is empty or no weight is positive. */
  pickWeighted<T>(items: readonly (readonly [T, number])[]): T
  /** Normal distribution with mean 0 and standard deviation 1. */
  normal(): number
  /** Log-normal distribution: heavy-tailed, with the given median. */
  logNormal(median: number, sigma: number): number
  poisson(mean: number): number
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** A well-mixed 32-bit hash of a name made of parts. */
export function hash32(...parts: readonly (string | number)[]): number {
  const text = parts.join('\u001f')
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  }
  return mix32(hash)
}

/** `hash32` as a fraction in [0, 1). */
export function hashUnit(...parts: readonly (string | number)[]): number {
  return hash32(...parts) / 2 ** 32
}

/** A random stream named by its parts. */
export function createRandom(...parts: readonly (string | number)[]): Random {
  let state = hash32(...parts)
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    return mix32(state) / 2 ** 32
  }
  const normal = (): number => {
    // Box and Muller; 1 - u keeps the logarithm finite.
    const radius = Math.sqrt(-2 * Math.log(1 - next()))
    return radius * Math.cos(2 * Math.PI * next())
  }
  return {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => elementAt(items, Math.floor(next() * items.length)),
    pickWeighted: (items) => {
      const total = items.reduce((sum, [, weight]) => sum + weight, 0)
      let rest = next() * total
      for (const [item, weight] of items) {
        rest -= weight
        if (rest < 0) return item
      }
      throw new RangeError('No item has a positive weight')
    },
    normal,
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    poisson: (mean) => {
      const threshold = Math.exp(-mean)
      let count = 0
      for (let product = next(); product > threshold; product *= next()) count += 1
      return count
    },
  }
}

/** The element at an index that is known to exist. @throws RangeError when it does not. */
export function elementAt<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new RangeError(`No element at ${index} of ${items.length}`)
  return item
}

/** Spreads every input bit over the whole word (the finisher of a splitmix generator). */
function mix32(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
