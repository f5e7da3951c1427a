/** Finds what platforms mark up in plain text: hashtags, web addresses and mentions. */

export type RichTextSpan =
  /** `value` is the tag without `#`, in the author's letter case. */
  | { type: 'tag'; start: number; end: number; value: string }
  | { type: 'link'; start: number; end: number; value: string }
  /** `value` is the handle without `@`. */
  | { type: 'mention'; start: number; end: number; value: string }

const LINK = /https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]]/gu
const TAG = /(?<![\p{L}\p{N}\p{M}_/&#])#([\p{L}\p{N}\p{M}_]+)/gu
const MENTION = /(?<![\p{L}\p{N}_/@])@([\p{L}\p{N}_]+(?:[.-][\p{L}\p{N}_]+)*)/gu

/** The spans of a text in order; positions are string indices, and spans never overlap. */
export function findSpans(text: string): RichTextSpan[] {
  const spans: RichTextSpan[] = []
  for (const match of text.matchAll(LINK)) {
    spans.push({ type: 'link', start: match.index, end: match.index + match[0].length, value: match[0] })
  }
  const links = [...spans]
  const isFree = (start: number): boolean => links.every((link) => start < link.start || start >= link.end)
  for (const match of text.matchAll(TAG)) {
    const value = match[1] ?? ''
    // A number alone is no hashtag on either platform.
    if (!/\p{L}/u.test(value) || !isFree(match.index)) continue
    spans.push({ type: 'tag', start: match.index, end: match.index + match[0].length, value })
  }
  for (const match of text.matchAll(MENTION)) {
    if (!isFree(match.index)) continue
    spans.push({
      type: 'mention',
      start: match.index,
      end: match.index + match[0].length,
      value: match[1] ?? '',
    })
  }
  return spans.sort((a, b) => a.start - b.start)
}

/** The hashtags of a text, each spelling once, in order of appearance. */
export function hashtagsOf(text: string): string[] {
  const tags = findSpans(text).flatMap((span) => (span.type === 'tag' ? [span.value] : []))
  return [...new Set(tags)]
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** How many characters a person would count. */
export function graphemeLength(text: string): number {
  let count = 0
  for (const _ of graphemes.segment(text)) count += 1
  return count
}
