import { extractHashtags } from '../../domain/hashtags.ts'
import { cleanText } from './fields.ts'

/** Longest name in a mention, in its markup; longer ones are left as they stand. */
const MAX_NAME = 300

/** An escaped character, a hashtag's template, or a mention with its URN. */
const MARKUP = new RegExp(
  [
    String.raw`\\(?<escaped>[|{}@[\]()<>#\\*_~])`,
    String.raw`\{hashtag\|\\?[#＃]\|(?<tag>[^{}|]*)\}`,
    String.raw`@\[(?<name>(?:\\.|[^\]\\]){1,${MAX_NAME}})\] ?\(urn:li:[\w:-]+\)`,
  ].join('|'),
  'gsu',
)

interface Commentary {
  /** What a person sees. */
  text: string
  /** As the author wrote them, without `#`. */
  hashtags: string[]
}

/**
 * Reads the commentary of a post: text in which LinkedIn marks mentions and hashtags, and escapes what it
 * would take for marks.
 */
export function readCommentary(source: string): Commentary {
  let text = ''
  // The same for the search for hashtags: an escaped `#` begins none, one of a template needs no space.
  let searched = ''
  let end = 0
  for (const match of source.matchAll(MARKUP)) {
    const before = source.slice(end, match.index)
    end = match.index + match[0].length
    const { escaped, tag, name } = match.groups ?? {}
    const shown = escaped ?? (tag === undefined ? withoutEscapes(name ?? '') : `#${tag}`)
    text += before + shown
    searched += before + (tag === undefined ? shown.replaceAll('#', ' ') : ` ${shown} `)
  }
  const rest = source.slice(end)
  return { text: cleanText(text + rest), hashtags: extractHashtags(cleanText(searched + rest)) }
}

function withoutEscapes(markup: string): string {
  return markup.replace(/\\(.)/gsu, '$1')
}
