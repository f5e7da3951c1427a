import { escapeHtml } from '../../../src/lib/escape-html.ts'
import { findSpans } from './rich-text.ts'

/** Turns a post's text into the HTML that a Mastodon server makes of it. */
export function contentHtml(text: string, origin: string): string {
  let html = ''
  let position = 0
  for (const span of findSpans(text)) {
    html += escapeHtml(text.slice(position, span.start))
    position = span.end
    switch (span.type) {
      case 'tag': {
        const href = `${origin}/tags/${encodeURIComponent(span.value)}`
        html += `<a href="${href}" class="mention hashtag" rel="tag">#<span>${escapeHtml(span.value)}</span></a>`
        break
      }
      case 'link':
        html += linkHtml(span.value)
        break
      case 'mention': {
        const name = escapeHtml(span.value)
        html += `<span class="h-card" translate="no"><a href="${origin}/@${name}" class="u-url mention">@<span>${name}</span></a></span>`
        break
      }
    }
  }
  html += escapeHtml(text.slice(position))
  return html
    .split('\n\n')
    .map((paragraph) => `<p>${paragraph.replaceAll('\n', '<br />')}</p>`)
    .join('')
}

const VISIBLE_LINK_LENGTH = 30

/** The scheme and the end of a long address are hidden, but still part of the text. */
function linkHtml(url: string): string {
  const scheme = /^https?:\/\/(?:www\.)?/.exec(url)?.[0] ?? ''
  const shown = url.slice(scheme.length, scheme.length + VISIBLE_LINK_LENGTH)
  const rest = url.slice(scheme.length + VISIBLE_LINK_LENGTH)
  return (
    `<a href="${escapeHtml(url)}" target="_blank" rel="nofollow noopener" translate="no">` +
    `<span class="invisible">${escapeHtml(scheme)}</span>` +
    `<span class="${rest === '' ? '' : 'ellipsis'}">${escapeHtml(shown)}</span>` +
    `<span class="invisible">${escapeHtml(rest)}</span></a>`
  )
}

/** Letters that decomposition does not take apart, but Mastodon folds all the same. */
const FOLDED: Record<string, string> = { ø: 'o', đ: 'd', ð: 'd', ħ: 'h', ł: 'l', ŧ: 't', ı: 'i', ŋ: 'n' }

/** A hashtag as the server names it: compatible forms, lower case, Latin letters without their marks. */
export function foldHashtag(tag: string): string {
  const lower = tag.normalize('NFKC').toLowerCase()
  // Marks are dropped after Latin letters only: in other scripts they make the word.
  return lower.replace(/[\u00c0-\u024f\u1e00-\u1eff]/gu, (letter) => {
    return FOLDED[letter] ?? letter.normalize('NFD').replace(/\p{M}/gu, '')
  })
}
