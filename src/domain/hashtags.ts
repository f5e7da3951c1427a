import { once } from '../lib/once.ts'

/** Longest tag that is kept, in code points of its normalised form. */
export const MAX_TAG_LENGTH = 100

/** No spelling of a tag is longer than this, in UTF-16 units; spares us folding whole books. */
const MAX_SPELLING_LENGTH = 1_000

// Properties of characters take long to look up: an isolate's first answer does not wait for them.
const invisible = once(() => /\p{Default_Ignorable_Code_Point}/gu)
const LEADING_MARKS = /^[#\s]+/u
/** What can be no part of a tag wherever it comes from; the comma separates tags in queries. */
const forbidden = once(() => /[\s\p{C}\ufffd#,]/u)
/** Digits and punctuation alone are a number or a list marker (`#1`, `#2025`), no topic. */
const meaningful = once(() => /[\p{L}\p{So}\p{Extended_Pictographic}]/u)

/**
 * Unicode's full case folding of one code point, from the two mappings that JavaScript has: they are
 * independent of the locale, and applied to a single code point they know no final sigma. (Lower case
 * first, as ẞ is its own capital.) The dotless i is the one letter that the round trip would merge with
 * another that Unicode keeps apart.
 */
function foldCodePoint(character: string): string {
  return character === 'ı' ? character : character.toLowerCase().toUpperCase().toLowerCase()
}

/** NFKC_Casefold of Unicode's chapter 3.13: equal for any two spellings that differ in case or width alone. */
function caseFold(text: string): string {
  let folded = ''
  for (const character of text.normalize('NFKC').replace(invisible(), '')) folded += foldCodePoint(character)
  return folded.normalize('NFKC')
}

/**
 * The form under which a hashtag is counted and looked up: without `#`, NFKC, case folded, without
 * invisible characters. `null` for what is no tag: empty, without a letter or symbol, longer than
 * `MAX_TAG_LENGTH` code points, or holding white space, a comma or a further `#`.
 */
export function normaliseTag(raw: string): string | null {
  if (raw.length > MAX_SPELLING_LENGTH || !raw.isWellFormed()) return null
  const tag = caseFold(raw).replace(LEADING_MARKS, '').trimEnd()
  if (!meaningful().test(tag) || forbidden().test(tag)) return null
  return [...tag].length <= MAX_TAG_LENGTH ? tag : null
}

/** Tags in the author's spelling without `#`: those that are tags at all, the first of each normalised form. */
export function distinctTags(candidates: Iterable<string>): string[] {
  const bySpelling = new Map<string, string>()
  for (const candidate of candidates) {
    const normalised = normaliseTag(candidate)
    if (normalised === null || bySpelling.has(normalised)) continue
    bySpelling.set(
      normalised,
      candidate
        .normalize('NFC')
        .replace(/^[#＃﹟\s]+/u, '')
        .trimEnd(),
    )
  }
  return [...bySpelling.values()]
}

/** Addresses are left out of the search; only ASCII, as text in other scripts may follow without a space. */
const WEB_ADDRESS = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/giu

/**
 * `#` or `＃`, not within a word, an HTML entity or a path; then letters, digits and underscores of any
 * script, and marks upon them. Joiners (ZWJ, ZWNJ as in Persian) and middle dots (as in Catalan and
 * Japanese) count between two letters only. What has no letter is left to `normaliseTag` to drop.
 */
const hashtags = once(
  () =>
    /(?<![\p{L}\p{M}\p{N}_&/])[#＃](?!\p{M})((?:(?<=[\p{L}\p{M}])(?:\u200c|\u200d|[·・])(?=\p{L})|[\p{L}\p{M}\p{N}_])+)/gu,
)

/**
 * The hashtags of a text, without `#`, in the author's spelling and order, distinct by normalised form.
 * For platforms that give hashtags as text only.
 */
export function extractHashtags(text: string): string[] {
  // Slashes keep the positions, and keep a tag that touches an address from being taken for one.
  const searched = text.replace(WEB_ADDRESS, (address) => '/'.repeat(address.length))
  return distinctTags(Array.from(searched.matchAll(hashtags()), (match) => match[1] ?? ''))
}
