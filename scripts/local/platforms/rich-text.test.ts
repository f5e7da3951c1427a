import { describe, expect, test } from 'vitest'
import { contentHtml, foldHashtag } from './mastodon-html.ts'
import { findSpans, hashtagsOf } from './rich-text.ts'

describe('spans of a text', () => {
  test('hashtags of any script are found, numbers and addresses are not hashtags', () => {
    expect(hashtagsOf('#One #2 #3D #ラーメン、#संग्रहालय #Мосты! a#no https://x.example/#nor #One')).toEqual([
      'One',
      '3D',
      'ラーメン',
      'संग्रहालय',
      'Мосты',
    ])
  })

  test('links end before the punctuation of the sentence, and mentions before its dot', () => {
    const text = 'See https://a.example/b?c=1, with @sora.example.social. Bye'
    const values = findSpans(text).map(({ type, value }) => [type, value])
    expect(values).toEqual([
      ['link', 'https://a.example/b?c=1'],
      ['mention', 'sora.example.social'],
    ])
    for (const span of findSpans(text)) {
      expect(text.slice(span.start, span.end).replace('@', '')).toBe(span.value)
    }
  })
})

describe('Mastodon’s reading of a text', () => {
  test('the tags of the HTML taken away, the text is what it was', () => {
    const text = 'A <b> & "c"\n#Tag\n\nhttps://www.example.org/a/very/long/path/that/is/cut?x=1&y=2 @ada'
    const html = contentHtml(text, 'https://social.example')
    const plain = html
      .replace(/<br \/>/g, '\n')
      .replace(/<\/p><p>/g, '\n\n')
      .replace(/<[^>]+>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&')
    expect(plain).toBe(text)
    expect(html).toContain('<a href="https://social.example/tags/Tag" class="mention hashtag"')
    expect(html).toContain('<span class="ellipsis">')
  })

  test('hashtags lose case and Latin marks, and keep the marks of other scripts', () => {
    expect(foldHashtag('CaféDeEspecialidad')).toBe('cafedeespecialidad')
    expect(foldHashtag('Łódź')).toBe('lodz')
    expect(foldHashtag('Ｆｕｌｌ')).toBe('full')
    expect(foldHashtag('संग्रहालय')).toBe('संग्रहालय')
    expect(foldHashtag('Ρώμη')).toBe('ρώμη')
  })
})
