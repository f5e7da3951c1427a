/**
 * Words for texts: a vocabulary of pronounceable ones, used as people use words (Zipf's law), and the same in
 * every run. No word begins with another, so that a search for one finds no other, however it is done.
 */

const SYLLABLES = [
  ...['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'je', 'ki', 'lo', 'mu', 'na', 'pe', 'ri', 'so', 'tu', 'va'],
  ...['bel', 'cor', 'dan', 'fer', 'gil', 'hon', 'jas', 'kel', 'lin', 'mor', 'nes', 'pol', 'rak', 'sim'],
  ...['ter', 'ving', 'bra', 'cle', 'dro', 'fli', 'gra', 'plo', 'sha', 'ster', 'thi', 'tra', 'whe', 'ble'],
  ...['ck', 'dge', 'ght', 'nd', 'ng', 'nt', 'rst', 'sh', 'st', 'th', 'tion', 'ment', 'ful', 'ly', 'ous'],
]

const VOCABULARY = 20_000
/** Triples of syllables; every odd step visits each once. */
const STEP = 104_729
/** A power of two. */
export const PHRASES = 32_768
const WORDS_A_PHRASE = 4

/** Of which a post has so many. */
export const PHRASES_A_POST = 3

/**
 * What is searched for, by how many posts have it: about a tenth, about a thousandth, and
 * `RARE_POSTS` of them whatever their number is.
 */
export interface SearchWords {
  frequent: string[]
  middling: string[]
  rare: string[]
  unused: string[]
}

/** Each of the rare words is in this many posts. */
export const RARE_POSTS = 20
export const RARE_WORDS = ['quixomer', 'zephalin', 'wuzzareen', 'yaxterol', 'oquandis']
const UNUSED_WORDS = ['xyloquent', 'exquavist']

/** How often the n-th word of the vocabulary is used falls with n; these have the shares named above. */
const FREQUENT_RANKS = [10, 11, 12, 13, 14]
const MIDDLING_RANKS = [1_100, 1_150, 1_200, 1_250, 1_300]

let vocabulary: readonly string[] | undefined

/** The words, the most used first. */
function words(): readonly string[] {
  vocabulary ??= makeVocabulary()
  return vocabulary
}

function makeVocabulary(): readonly string[] {
  const size = SYLLABLES.length
  const all = size ** 3
  const found: string[] = []
  const known = new Set<string>()
  /** What some word begins with. */
  const beginnings = new Set<string>()
  for (let i = 1; found.length < VOCABULARY && i < all; i += 1) {
    const n = (i * STEP) % all
    const parts = [n % size, Math.floor(n / size) % size, Math.floor(n / size ** 2)]
    const word = parts.map((part) => SYLLABLES[part]).join('')
    const begins = Array.from({ length: word.length }, (_, length) => word.slice(0, length + 1))
    if (beginnings.has(word) || begins.some((beginning) => known.has(beginning))) continue
    known.add(word)
    for (const beginning of begins) beginnings.add(beginning)
    found.push(word)
  }
  return found
}

export function searchWords(): SearchWords {
  const at = (ranks: number[]) => ranks.map((rank) => words()[rank - 1] ?? '')
  return {
    frequent: at(FREQUENT_RANKS),
    middling: at(MIDDLING_RANKS),
    rare: RARE_WORDS,
    unused: UNUSED_WORDS,
  }
}

/** Pieces that texts are put together from, of a few words each. */
export function makePhrases(): string[] {
  const random = randomNumbers(1)
  // Zipf's law: the n-th word is used 1/n times as often as the first.
  const word = () => words()[Math.floor(VOCABULARY ** random()) - 1] ?? ''
  return Array.from({ length: PHRASES }, () => Array.from({ length: WORDS_A_PHRASE }, word).join(' '))
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
