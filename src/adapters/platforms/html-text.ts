import { Parser } from 'htmlparser2'
import { cleanText } from './fields.ts'

/** Blocks that stand apart by a blank line, and those that begin a line of their own. */
const PARAGRAPHS: ReadonlySet<string> = new Set(
  'p blockquote pre ul ol h1 h2 h3 h4 h5 h6 table hr'.split(' '),
)
const LINES: ReadonlySet<string> = new Set('li div tr dt dd'.split(' '))
const UNSEEN: ReadonlySet<string> = new Set('script style title template'.split(' '))
/** The line "RE: <address>" that Mastodon puts into quoting posts, for software that knows no quotes. */
const QUOTE_FALLBACK = /(?:^|\s)quote-inline(?:\s|$)/u

/**
 * The text that a person sees of a post's HTML: line breaks and paragraphs as new lines, entities decoded,
 * tags gone. Links keep the whole of the address that they show; what only stands in for a quoted post
 * is left out.
 */
export function htmlToText(html: string): string {
  let text = ''
  // What stands between the text so far and the text to come; written once there is more of it.
  let lineBreaks = 0
  let isSpaced = false
  let preformatted = 0
  /** Depth within an element whose text is not shown. */
  let hidden = 0

  const separate = (name: string): void => {
    if (PARAGRAPHS.has(name)) lineBreaks = Math.max(lineBreaks, 2)
    else if (LINES.has(name)) lineBreaks = Math.max(lineBreaks, 1)
  }
  const append = (words: string): void => {
    if (text !== '') text += lineBreaks > 0 ? '\n'.repeat(lineBreaks) : isSpaced ? ' ' : ''
    lineBreaks = 0
    isSpaced = false
    text += words
  }

  const parser = new Parser({
    onopentag(name, attributes) {
      if (hidden > 0 || UNSEEN.has(name) || QUOTE_FALLBACK.test(attributes.class ?? '')) {
        hidden++
        return
      }
      separate(name)
      if (name === 'pre') preformatted++
      if (name === 'br') lineBreaks++
    },
    ontext(data) {
      if (hidden > 0) return
      if (preformatted > 0) {
        append(data)
        return
      }
      const words = data.split(/[ \t\n\r\f]+/u).filter((word) => word !== '')
      if (/^[ \t\n\r\f]/u.test(data)) isSpaced = true
      if (words.length === 0) return
      append(words.join(' '))
      isSpaced = /[ \t\n\r\f]$/u.test(data)
    },
    onclosetag(name) {
      if (hidden > 0) {
        hidden--
        return
      }
      if (name === 'pre') preformatted = Math.max(0, preformatted - 1)
      separate(name)
    },
  })
  parser.write(html)
  parser.end()
  return cleanText(text).trim()
}
