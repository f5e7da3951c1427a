import { hash32 } from './random.ts'
import { findSpans } from './rich-text.ts'

/** A text as X shows it: links made short, three characters escaped, and what is marked up found. */
export interface XText {
  text: string
  entities: XEntities
}

interface Position {
  /** Counted in code points of the text that is shown; the end is excluded. */
  start: number
  end: number
}

interface XLink extends Position {
  url: string
  expanded_url: string
  display_url: string
  media_key?: string
  title?: string
  description?: string
}

interface XEntities {
  hashtags?: (Position & { tag: string })[]
  mentions?: (Position & { username: string })[]
  urls?: XLink[]
}

/** A link that X itself puts at the end of a text: to what is attached, or quoted. */
export interface AppendedLink {
  address: string
  mediaKeys: readonly string[]
}

export interface Card {
  url: string
  title: string
  description: string
}

const MOST_CHARACTERS = 280

/** Builds what X shows for what an author wrote. */
export function shownText(text: string, appended: readonly AppendedLink[], card: Card | undefined): XText {
  const entities: Required<XEntities> = { hashtags: [], mentions: [], urls: [] }
  let shown = ''
  let length = 0
  const add = (piece: string): Position => {
    const start = length
    shown += piece
    length += [...piece].length
    return { start, end: length }
  }
  let written = 0
  for (const span of findSpans(text)) {
    add(escaped(text.slice(written, span.start)))
    written = span.end
    if (span.type === 'tag')
      entities.hashtags.push({ ...add(text.slice(span.start, span.end)), tag: span.value })
    if (span.type === 'mention')
      entities.mentions.push({ ...add(text.slice(span.start, span.end)), username: span.value })
    if (span.type === 'link') {
      const { title, description } = card?.url === span.value ? card : {}
      entities.urls.push({
        ...linkTo(span.value, add),
        ...(title !== undefined && { title }),
        ...(description !== undefined && { description }),
      })
    }
  }
  add(escaped(text.slice(written)))
  for (const { address, mediaKeys } of appended) {
    if (length > 0) add(' ')
    const link = linkTo(address, add)
    if (mediaKeys.length === 0) entities.urls.push(link)
    else entities.urls.push(...mediaKeys.map((media_key) => ({ ...link, media_key })))
  }
  return { text: shown, entities: withoutEmpty(entities, Number.POSITIVE_INFINITY) }
}

/** The beginning of a text that is too long for the usual field; undefined where it is not. */
export function cutText({ text, entities }: XText): XText | undefined {
  const characters = [...text]
  if (characters.length <= MOST_CHARACTERS) return undefined
  const kept = characters.slice(0, MOST_CHARACTERS - 1).join('')
  return { text: `${kept}…`, entities: withoutEmpty(entities, MOST_CHARACTERS - 1) }
}

function linkTo(address: string, add: (piece: string) => Position): XLink {
  const url = `https://t.co/${hash32('t.co', address).toString(36)}`
  const display_url = address.replace(/^https?:\/\/(?:www\.)?/, '').slice(0, 26)
  return { ...add(url), url, expanded_url: address, display_url }
}

/** X leaves out the kinds of which there are none, and here whatever begins or ends beyond `end`. */
function withoutEmpty(entities: XEntities, end: number): XEntities {
  const within = <T extends Position>(list: readonly T[] = []): T[] => list.filter((item) => item.end <= end)
  const [hashtags, mentions, urls] = [
    within(entities.hashtags),
    within(entities.mentions),
    within(entities.urls),
  ]
  return {
    ...(hashtags.length > 0 && { hashtags }),
    ...(mentions.length > 0 && { mentions }),
    ...(urls.length > 0 && { urls }),
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
